# Run rentrez's own tests against a server: Rscript rentrez.R BASE_URL FOLDER
# Writes a line per test: its file, a tab, and the first line of its first failure.
suppressMessages({library(testthat); library(rentrez)})
arguments <- commandArgs(TRUE)
code <- paste(deparse(rentrez:::make_entrez_query), collapse = "\n")
code <- gsub("https://eutils.ncbi.nlm.nih.gov/entrez/eutils/", arguments[1], code, fixed = TRUE)
elsewhere <- eval(parse(text = code))
environment(elsewhere) <- asNamespace("rentrez")
assignInNamespace("make_entrez_query", elsewhere, "rentrez")
results <- suppressMessages(test_dir(
  arguments[2], env = new.env(parent = asNamespace("rentrez")),
  reporter = "silent", stop_on_failure = FALSE
))
for (test in results) {
  bad <- Filter(function(one) inherits(one, c("expectation_failure", "expectation_error")), test$results)
  words <- if (length(bad)) strsplit(conditionMessage(bad[[1]]), "\n")[[1]][1] else ""
  cat(test$file, gsub("\t", " ", words), sep = "\t")
  cat("\n")
}
