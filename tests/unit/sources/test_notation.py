"""Notations of UIDs: unambiguous ones are read, all others rejected with a remedy."""

from __future__ import annotations

import doctest

import pytest

from harvester.sources import foreign
from harvester.sources.notation import UidParser, parse_accession


def _why(word: str, dbfrom: str = "pubmed") -> str:
    with pytest.raises(ValueError, match="is not a UID") as caught:
        UidParser(dbfrom)(word)
    return str(caught.value)


@pytest.mark.parametrize(
    ("word", "dbfrom", "uid"),
    [
        ("123", "pubmed", 123),
        ("00123", "gene", 123),
        ("123.0", "pubmed", 123),
        ("1001.000", "pubmed", 1001),
        ("12.00", "pubmed", 12),
        ("PMID:123", "pubmed", 123),
        ("PMID: 123", "pubmed", 123),
        ("pmid 123", "pubmed", 123),
        ("PMID :\u00a0123", "pubmed", 123),
        ("PMC123", "pmc", 123),
        ("PMCID: PMC123", "pmc", 123),
        ("rs123", "snp", 123),
        ("\u00a0 123\u202f", "pubmed", 123),
        ("\ufeff123", "pubmed", 123),
    ],
)
def test_what_has_one_meaning_is_read(word: str, dbfrom: str, uid: int) -> None:
    assert UidParser(dbfrom)(word) == uid


@pytest.mark.parametrize("between", ",.'_ \u00a0\u2007\u2009\u202f\u2019\u066c")
def test_thousands_separators_of_any_locale_are_rejected(between: str) -> None:
    for digits in (["12", "345", "678"], ["1", "000"], ["9", "606"], ["999", "999"]):
        said = _why(between.join(digits))
        assert f"write {''.join(digits)} for a number with thousands separators" in said
        assert said.isprintable()


def test_an_invisible_character_is_named() -> None:
    assert _why("12\u200b3").startswith("'12[U+200B zero width space]3' is not a UID")
    assert _why("12\u202f345").startswith("'12[U+202F narrow no-break space]345' is not a UID")


@pytest.mark.parametrize("word", ["1e+05", "1E5", "1.23457E+07", "1,2e+07"])
def test_scientific_notation_is_rejected(word: str) -> None:
    """A spreadsheet shows 12345678 as 1.23E+07."""
    assert "a spreadsheet may have dropped digits" in _why(word)


@pytest.mark.parametrize(
    ("word", "dbfrom", "said"),
    [
        ("10.1038/nature12373", "pubmed", "a DOI: find its PMID with --dbfrom pubmed --query '10"),
        ("https://doi.org/10.1038/x", "pubmed", "--query '10.1038/x[doi]'"),
        ("doi:10.1038/x", "pubmed", "--query '10.1038/x[doi]'"),
        ("https://pubmed.ncbi.nlm.nih.gov/1/", "pubmed", "a web address: give the UID alone"),
        ("PMC12", "pubmed", "a UID of pmc, for --dbfrom pmc"),
        ("PMID: 12", "pmc", "a UID of pubmed, for --dbfrom pubmed"),
        ("rs12", "gene", "a UID of snp, for --dbfrom snp"),
        ("SRR1553607", "sra", "an accession of SRA: find its UID with --dbfrom sra --query 'SRR1"),
        ("DRP004793", "sra", "--query 'DRP004793[accn]'"),
        ("PRJNA257197", "bioproject", "--dbfrom bioproject --query 'PRJNA257197[accn]'"),
        ("SAMN02434874", "biosample", "--dbfrom biosample --query 'SAMN02434874[accn]'"),
        ("GSE12345", "gds", "--dbfrom gds --query 'GSE12345[accn]'"),
        ("GCF_000001405.40", "assembly", "--dbfrom assembly --query 'GCF_000001405.40'"),
        ("ENSG00000141510", "gene", "an identifier of Ensembl"),
        ("NM_000546.6", "nuccore", "an accession: add --idtype acc"),
        ("P04637", "protein", "an accession: add --idtype acc"),
        ("NM_000546.6", "gene", "ask with --dbfrom nuccore or protein, and --idtype acc"),
        ("TP53", "gene", "a gene symbol, find its UID with --query 'TP53[sym] AND human[orgn]'"),
        ("1;2", "pubmed", "give one UID per line or cell"),
        ("1 | 2", "pubmed", "give one UID per line or cell"),
    ],
)
def test_an_identifier_of_another_kind_is_named_with_the_way_to_its_uid(
    word: str, dbfrom: str, said: str
) -> None:
    sentence = _why(word, dbfrom)
    assert said in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("word", ["SRR1553607", "PRJNA257197", "GSE12345", "GCF_000001405.40"])
def test_what_no_sequence_database_has_is_no_accession(word: str) -> None:
    with pytest.raises(ValueError, match="not an accession of a sequence database; this is an acc"):
        parse_accession(word)


def test_the_example_is_what_happens() -> None:
    assert doctest.testmod(foreign).failed == 0
