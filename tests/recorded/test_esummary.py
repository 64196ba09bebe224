"""ESummary's readers on every recorded answer.

JSON is compared with Python's own reader, XML with the JSON of the same records (both by NCBI's
stylesheet) and with Biopython.
"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from Bio import Entrez
from support.recorded_answers import RECORDED, body_of, names

from harvester.errors import Fault, RequestFailed
from harvester.eutils import esummary

NAMES = names("json", "esummary")
EMPTY = "ncbi-GeneGPT/esummary_snp_da39a3ee.json"
FOR_ALL = {
    "Klortho-Eutils-JSON/esummary.error.json": "Invalid db name specified: fleegle",
    "ncbi-GeneGPT/esummary_gene_9e569e28.json": "Invalid uid OR11-86 at position= 0",
    "ncbi-GeneGPT/esummary_gene_eebbeca8.json": "Empty id list - nothing todo",
}
TOO_MANY = "quoted-live-2026/esummary_too_many_uids.json"
WHOLE = [name for name in NAMES if name not in (EMPTY, TOO_MANY) and name not in FOR_ALL]

XML = names("xml", "esummary")
XML_FOR_ALL = {
    "Klortho-Eutils-JSON/esummary.error.xml": "Invalid db name specified: fleegle",
    "biopython-biopython/esummary8.xml": "Neither query_key nor id specified",
    "ncbi-GeneGPT/esummary_gene_61fe00ff.xml": "Invalid uid LOC124907753 at position= 0",
    "quoted-in-issues-and-docs/esummary_error_clinvar.xml": "EUTILSAPP(CException::eInvalid)",
}
PAIRS = [
    name
    for name in XML
    if name not in XML_FOR_ALL and (RECORDED / name).with_suffix(".json").exists()
]
DOCSUMS = [
    name
    for name in XML
    if name not in XML_FOR_ALL and b"<DocSum>" in body_of(name) and not name.startswith("bioperl")
]
"""Biopython refuses the plain http of the DTD that bioperl recorded."""


def test_recordings_exist() -> None:
    assert len(WHOLE) >= 15
    assert set(FOR_ALL) <= set(NAMES)
    assert len(PAIRS) >= 8
    assert len(DOCSUMS) >= 5


@pytest.mark.parametrize("name", WHOLE)
def test_summaries_are_those_of_json(name: str) -> None:
    result = json.loads(body_of(name))["result"]
    found = esummary.read(body_of(name))
    assert list(found) == list(dict.fromkeys(result["uids"]))
    for uid, summary in found.items():
        assert summary == result[uid].get("error", result[uid])


@pytest.mark.parametrize(("name", "words"), (FOR_ALL | XML_FOR_ALL).items())
def test_an_error_for_all_is_the_servers(name: str, words: str) -> None:
    with pytest.raises(RequestFailed) as caught:
        esummary.read(body_of(name))
    assert caught.value.fault is Fault.SERVER
    assert words in caught.value.reason


def test_too_many_uids_halve_the_batch() -> None:
    with pytest.raises(RequestFailed, match="Maximum number of UIDs is 500") as caught:
        esummary.read(body_of(TOO_MANY))
    assert caught.value.fault is Fault.TOO_LARGE


def test_an_empty_answer_is_a_bad_body() -> None:
    with pytest.raises(RequestFailed) as caught:
        esummary.read(body_of(EMPTY))
    assert caught.value.fault is Fault.BODY


@pytest.mark.parametrize(
    "name", ["ncbi-GeneGPT/esummary_omim_db871a32.json", "Klortho-Eutils-JSON/esummary.gene.xml"]
)
def test_an_answer_cut_anywhere_is_a_bad_body(name: str) -> None:
    body = body_of(name).rstrip()
    for cut in range(len(body)):
        with pytest.raises(RequestFailed):
            esummary.read(body[:cut])


# --- XML --------------------------------------------------------------------------------------


def _as_texts(value: Any) -> Any:
    """Return numbers and truth values as texts, as XML has them."""
    if isinstance(value, dict):
        return {name: _as_texts(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_as_texts(one) for one in value]
    if isinstance(value, bool):  # `indexed="yes"` in XML
        return "yes" if value else "no"
    return str(value).strip()


@pytest.mark.parametrize("name", PAIRS)
def test_document_summaries_have_the_members_of_the_json(name: str) -> None:
    of_json = esummary.read((RECORDED / name).with_suffix(".json").read_bytes())
    assert esummary.read(body_of(name)) == _as_texts(of_json)


def _plain(value: Any) -> Any:
    """Return a value of Biopython as plain Python; its numbers and empty elements are classes."""
    if isinstance(value, list):
        return [_plain(one) for one in value]
    name = type(value).__name__
    if name == "NoneElement":
        return ""
    return str(int(value)) if name == "IntegerElement" else value.strip()


@pytest.mark.parametrize("name", DOCSUMS)
def test_docsums_are_read_as_biopython_reads_them(name: str) -> None:
    """Without lists of named items: Biopython turns some into dictionaries."""
    listed: Any = Entrez.read(io.BytesIO(body_of(name)), validate=False)  # type: ignore[no-untyped-call]
    found = esummary.read(body_of(name))
    assert list(found) == [one["Id"] for one in listed]
    for ours, theirs in zip(found.values(), listed, strict=True):
        assert isinstance(ours, dict)
        expected = {
            field.lower(): _plain(value)
            for field, value in theirs.items()
            if field not in ("Id", "Item") and not isinstance(value, dict)
            if not (ours[field.lower()] and isinstance(ours[field.lower()][0], dict))
        }
        assert len(expected) > 5
        assert {field: ours[field] for field in expected} == expected


def test_items_of_several_names_keep_them() -> None:
    found = esummary.read(body_of("biopython-biopython/esummary1.xml"))["11850928"]
    assert isinstance(found, dict)
    assert found["articleids"] == [{"name": "pubmed", "value": "11850928"}]
