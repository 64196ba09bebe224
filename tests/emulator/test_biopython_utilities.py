"""Biopython as an independent client: each utility but ELink."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import pytest
from Bio import Entrez, Medline, SeqIO

from harvester.emulator import Emulator, EmulatorConfig, background

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Ask


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    with background(EmulatorConfig(rate=None, seed=5, egquery=True)) as server:
        yield server


def test_search_and_records(server: Emulator, ask: Ask) -> None:
    found = ask("esearch", db="pubmed", term="100:110[UID]", retmax=5, usehistory="y")
    assert found["Count"] == "11"
    assert list(found["IdList"]) == ["110", "109", "108", "107", "106"]
    summaries = ask("esummary", db="pubmed", WebEnv=found["WebEnv"], query_key=found["QueryKey"])
    assert [one["Id"] for one in summaries] == [str(uid) for uid in range(110, 99, -1)]
    nothing = ask("esearch", db="protein", term="abcXYZ")
    assert nothing["Count"] == "0"
    assert nothing["ErrorList"]["PhraseNotFound"] == ["abcXYZ"]


def test_databases(server: Emulator, ask: Ask) -> None:
    names = ask("einfo")["DbList"]
    assert "pubmed" in names
    (info,) = ask("einfo", db="pubmed")["DbInfo"]
    listed = [link["Name"] for link in info["LinkList"]]
    assert listed == [one.linkname for one in server.graph.families("pubmed") if one.listed]
    assert "pubmed_pubmed_citedin" not in listed
    assert int(info["Count"]) == len(server.graph.records("pubmed"))


def test_posted_sets(server: Emulator, ask: Ask) -> None:
    first = ask("epost", db="gene", id="7157,672")
    second = ask("epost", db="gene", id="675,672", WebEnv=first["WebEnv"])
    assert second["WebEnv"] == first["WebEnv"]
    assert second["QueryKey"] != first["QueryKey"]
    both = ask(
        "esearch",
        db="gene",
        WebEnv=first["WebEnv"],
        term=f"#{first['QueryKey']} AND #{second['QueryKey']}",
    )
    assert both["IdList"] == ["672"]


def test_summaries(ask: Ask) -> None:
    summaries = ask("esummary", db="pubmed", id="5,7157")
    assert [(one["Id"], str(one["PubDate"])) for one in summaries] == [
        ("5", "1965"),
        ("7157", str(1960 + 7157 % 66)),
    ]
    # The emulator's records have the same fields in each database, unlike those of the DTDs.
    entrez: Any = Entrez  # typed in part
    with entrez.esummary(db="gene", id="5,7157", version="2.0") as handle:
        newer = entrez.read(handle, validate=False)["DocumentSummarySet"]
    assert newer.attributes["status"] == "OK"
    assert [one.attributes["uid"] for one in newer["DocumentSummary"]] == ["5", "7157"]


def test_records(server: Emulator, ask: Ask, fetch: Ask) -> None:
    assert fetch("efetch", db="gene", id=["672", "7157"], rettype="uilist") == "672\n7157\n"
    articles = ask("efetch", db="pubmed", id="12,13", retmode="xml")["PubmedArticle"]
    received = [str(one["MedlineCitation"]["PMID"]) for one in articles]
    assert received == ["12", "13"]
    posted = ask("epost", db="pubmed", id="12,13")
    medline = fetch(
        "efetch",
        db="pubmed",
        rettype="medline",
        retmode="text",
        WebEnv=posted["WebEnv"],
        query_key=posted["QueryKey"],
    )
    parse: Any = Medline.parse
    records = parse(io.StringIO(medline))
    assert [one["PMID"] for one in records] == ["12", "13"]
    sequences: Any = SeqIO.parse
    fasta = fetch("efetch", db="protein", id="17", rettype="fasta", retmode="text")
    assert [one.id for one in sequences(io.StringIO(fasta), "fasta")] == ["NP_000000017.1"]


def test_citations(ask: Ask, fetch: Ask) -> None:
    (summary,) = ask("esummary", db="pubmed", id="20210808")
    pmid = 20210808
    citations = [
        {
            "journal_title": "Example J",
            "year": str(summary["PubDate"]),
            "volume": str(pmid // 10_000),
            "first_page": str(pmid % 10_000),
            "author_name": f"author{pmid % 1000} a",
            "key": "first",
        },
        {"journal_title": "no such journal", "year": "1991", "key": "second"},
    ]
    lines = fetch("ecitmatch", db="pubmed", bdata=citations).splitlines()
    assert [line.split("|")[-2:] for line in lines] == [
        ["first", str(pmid)],
        ["second", "NOT_FOUND;INVALID_JOURNAL"],
    ]


def test_counts_of_all_databases(server: Emulator) -> None:
    """Biopython can parse EGQuery, but has no function for it since the service ended."""
    read: Any = Entrez.read
    with urlopen(f"{server.base_url}egquery.fcgi?term=1:100000[UID]") as answer:
        found = read(io.BytesIO(answer.read()), validate=True)
    counts = {one["DbName"]: int(one["Count"]) for one in found["eGQueryResult"]}
    assert counts["pubmed"] == 100_000
    for one in found["eGQueryResult"]:
        records = server.graph.records(
            "nuccore" if one["DbName"] == "nucleotide" else one["DbName"]
        )
        assert int(one["Count"]) == sum(uid <= 100_000 for uid in records[-100_000:])
        assert one["Status"] == ("Ok" if records else "Term or Database is not found")


def test_spelling(ask: Ask) -> None:
    assert ask("espell", db="pubmed", term="biopythooon")["CorrectedQuery"] == "biopythoon"
