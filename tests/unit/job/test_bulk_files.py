"""Files in which the links of a job are published, and the built-in averages."""

from __future__ import annotations

import pytest

from harvester.client.known_names import DATABASES, LINKNAMES
from harvester.job.bulk_files import BULK_FILES, bulk_files
from harvester.job.link import Link
from harvester.job.link_averages import AVERAGES, averages_of


@pytest.mark.parametrize(
    ("link", "names"),
    [
        ({"dbfrom": "gene", "db": "pubmed"}, {"gene2pubmed.gz", "generifs_basic.gz"}),
        ({"dbfrom": "pubmed", "db": "gene", "linkname": "pubmed_gene"}, {"gene2pubmed.gz"}),
        ({"dbfrom": "gene", "db": "pubmed", "linkname": "gene_pubmed_rif"}, {"generifs_basic.gz"}),
        ({"dbfrom": "pubmed", "db": "pmc", "linkname": "pubmed_pmc"}, {"PMC-ids.csv.gz"}),
        (
            {"dbfrom": "pubmed", "db": "pubmed", "linkname": "pubmed_pubmed_citedin"},
            {"open_citation_collection.zip"},
        ),
        ({"dbfrom": "pubmed", "db": "pubmed", "linkname": "pubmed_pubmed"}, set()),
        (
            {"dbfrom": "pubmed", "db": "all", "linkname": "pubmed_pmc,pubmed_pmc_refs"},
            {"PMC-ids.csv.gz", "open_citation_collection.zip"},
        ),
        ({"dbfrom": "nucleotide", "db": "taxonomy"}, {"accession2taxid"}),
        ({"dbfrom": "clinvar", "db": "pubmed"}, {"var_citations.txt"}),
        ({"dbfrom": "pubmed"}, set()),
        ({"dbfrom": "pubmed", "db": "gene", "cmd": "acheck"}, set()),
        ({"dbfrom": "snp", "db": "gene"}, set()),
    ],
)
def test_files_with_the_links_of_a_job_are_named(link: dict[str, str], names: set[str]) -> None:
    assert {file.name for file in bulk_files(Link.model_validate(link))} == names


def test_table_names_databases_that_exist() -> None:
    for file in BULK_FILES:
        assert {db for pair in file.pairs for db in pair} <= DATABASES, file.name
        assert file.url.startswith("https://"), file.name
        assert file.why.endswith("."), file.name


def test_averages_are_of_known_linknames_and_say_their_source() -> None:
    unlisted = {"pubmed_pubmed_citedin", "pubmed_pubmed_five", "pubmed_pubmed_combined"}
    unlisted |= {"pubmed_pubmed_reviews", "pubmed_pubmed_reviews_five"}  # EInfo lacks these
    assert set(AVERAGES) <= LINKNAMES | unlisted
    assert all(one.links > 0 and one.source for one in AVERAGES.values())


@pytest.mark.parametrize(
    ("link", "names"),
    [
        ({"dbfrom": "pubmed", "db": "pmc", "linkname": "pubmed_pmc"}, {"pubmed_pmc"}),
        (
            {"dbfrom": "pubmed", "db": "pmc"},
            {"pubmed_pmc", "pubmed_pmc_local", "pubmed_pmc_refs"},
        ),
        ({"dbfrom": "pubmed", "db": "pmc,snp"}, set()),
        ({"dbfrom": "pubmed", "db": "pmc", "linkname": "pubmed_pmc,pubmed_pmc_embargo"}, set()),
        ({"dbfrom": "pubmed"}, set()),
        ({"dbfrom": "pubmed", "db": "pmc", "cmd": "lcheck"}, set()),
    ],
)
def test_averages_are_given_for_all_linknames_or_none(
    link: dict[str, str], names: set[str]
) -> None:
    assert set(averages_of(Link.model_validate(link))) == names
