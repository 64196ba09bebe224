"""ESearch and EPost on every recorded response, against independent readers."""

from __future__ import annotations

import csv
import json
import re
from io import BytesIO
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from Bio import Entrez
from support.recorded_answers import RECORDED, body_of

from harvester.errors import Fault, RequestFailed
from harvester.eutils import epost, esearch
from harvester.eutils.esearch import Found, PastCap


def _names(util: str, *formats: str) -> list[str]:
    with (RECORDED / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = list(csv.DictReader(index, delimiter="\t"))
    return [row["file"] for row in rows if row["util"] == util and row["format"] in formats]


STRANGE = [
    "genomoncology-biomcp/esummary_two_ids.json",
    "genomoncology-biomcp/pmid_22663011.js.json",
    "pachterlab-ffq/GSE93374_summary.txt",
]
"""Listed with ESearch, but answers of others."""
JSON = [name for name in _names("esearch", "json") if name not in STRANGE]
XML = _names("esearch", "xml")
POSTS = _names("epost", "xml", "json")
CAP = "quoted-in-issues-and-docs/esearch_search_backend_failed.json"


def _outcome(name: str) -> Found | str:
    """Return what we read, or the ERROR."""
    try:
        return esearch.read(body_of(name))
    except RequestFailed as failure:
        return failure.reason


def _one_line(text: str) -> str:
    """Return a text as an error message shows it."""
    line = " ".join(text.split())
    return line[:159] + "…" if len(line) > 160 else line


def _by_json(body: bytes) -> Found | str:
    result: dict[str, Any] = json.loads(body, strict=False)["esearchresult"]
    if "ERROR" in result:
        return _one_line(result["ERROR"])
    errors, warnings = result.get("errorlist", {}), result.get("warninglist", {})
    return Found(
        count=int(result["count"]),
        idlist=[str(uid) for uid in result["idlist"]],
        webenv=result.get("webenv", ""),
        query_key=result.get("querykey", ""),
        warnings=warnings.get("outputmessages", [])
        + [f"Quoted phrase not found: {x}" for x in warnings.get("quotedphrasesnotfound", [])]
        + [f"Phrase ignored: {x}" for x in warnings.get("phrasesignored", [])],
        phrases_not_found=errors.get("phrasesnotfound", []),
        fields_not_found=errors.get("fieldsnotfound", []),
        query_translation=result.get("querytranslation", ""),
    )


def _by_elementtree(body: bytes) -> Found | str:
    root = ET.fromstring(body)
    if root.find("ERROR") is not None:
        return _one_line(root.findtext("ERROR", ""))

    def every(path: str) -> list[str]:
        return [(one.text or "").strip() for one in root.findall(path) if (one.text or "").strip()]

    return Found(
        count=int(root.findtext("Count", "")),
        idlist=every("IdList/Id"),
        webenv=root.findtext("WebEnv", ""),
        query_key=root.findtext("QueryKey", ""),
        warnings=every("WarningList/OutputMessage")
        + [f"Quoted phrase not found: {x}" for x in every("WarningList/QuotedPhraseNotFound")]
        + [f"Phrase ignored: {x}" for x in every("WarningList/PhraseIgnored")],
        phrases_not_found=every("ErrorList/PhraseNotFound"),
        fields_not_found=every("ErrorList/FieldNotFound"),
        query_translation=root.findtext("QueryTranslation", "").strip(),
    )


def test_recordings_exist() -> None:
    assert (len(JSON), len(XML), len(POSTS)) >= (25, 30, 8)
    assert sum(isinstance(_outcome(name), Found) for name in JSON + XML) >= 55


@pytest.mark.parametrize("name", JSON)
def test_json_agrees_with_json(name: str) -> None:
    assert _outcome(name) == _by_json(body_of(name))


@pytest.mark.parametrize("name", XML)
def test_xml_agrees_with_elementtree(name: str) -> None:
    assert _outcome(name) == _by_elementtree(body_of(name))


def _root_as_today(name: str) -> bytes:
    """Correct the root of one recording, which has it in lower case."""
    return body_of(name).replace(b"esearchresult>", b"eSearchResult>")


@pytest.mark.parametrize("name", XML)
def test_xml_agrees_with_biopython(name: str) -> None:
    """It knows only today's DTD, so older prologs are replaced; it raises at an ERROR."""
    inner = re.sub(
        rb"\A.*?(?=<eSearchResult>)", b"", _root_as_today(name), count=1, flags=re.DOTALL
    )
    today = (
        b'<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE eSearchResult PUBLIC "-//NLM//DTD '
        b'esearch 20060628//EN" "https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20060628/esearch.dtd">'
    )
    found = _outcome(name)
    read: Any = Entrez.read
    if isinstance(found, str):
        with pytest.raises(RuntimeError) as caught:
            read(BytesIO(today + inner), validate=False)
        assert str(caught.value) == found
        return
    theirs: Any = read(BytesIO(today + inner), validate=False)
    assert (str(found.count), found.idlist) == (theirs["Count"], list(theirs["IdList"]))
    assert (found.webenv, found.query_key) == (
        theirs.get("WebEnv", ""),
        theirs.get("QueryKey", ""),
    )
    assert found.query_translation == theirs.get("QueryTranslation", "").strip()
    assert found.phrases_not_found == list(theirs.get("ErrorList", {}).get("PhraseNotFound", []))


@pytest.mark.parametrize("name", [name for name in JSON if name.startswith("Klortho")])
def test_both_forms_of_one_answer_are_the_same(name: str) -> None:
    assert _outcome(name) == _outcome(name.replace(".json", ".xml"))


def test_the_error_of_the_cap_is_recognised() -> None:
    """It is invalid JSON with status 200."""
    with pytest.raises(ValueError, match="control character"):
        json.loads(body_of(CAP))
    with pytest.raises(PastCap, match="'retstart' cannot be larger than 9998"):
        esearch.read(body_of(CAP))


@pytest.mark.parametrize(
    "name",
    [*STRANGE, *_names("esearch", "html"), "Klortho-Eutils-JSON/einfo.json",
     "biopython-biopython/epost1.xml", "quoted-in-issues-and-docs/http429_with_ip.json"],
)  # fmt: skip
def test_what_is_no_answer_of_esearch_is_no_answer(name: str) -> None:
    for read in (esearch.read, epost.read):
        if read is epost.read and "epost" in name:
            continue
        with pytest.raises(RequestFailed) as caught:
            read(body_of(name))
        assert caught.value.fault is Fault.BODY


@pytest.mark.parametrize("name", ["ncbi-GeneGPT/esearch_gene_65a6336e.json",
                                  "biopython-biopython/esearch1.xml"])  # fmt: skip
def test_an_answer_cut_anywhere_is_no_answer(name: str) -> None:
    body = body_of(name).rstrip()
    for cut in range(len(body)):
        with pytest.raises(RequestFailed) as caught:
            esearch.read(body[:cut])
        assert caught.value.fault is Fault.BODY


@pytest.mark.parametrize("name", POSTS)
def test_epost_agrees_with_elementtree(name: str) -> None:
    body = body_of(name)
    root = ET.fromstring(body)
    errors = [one.text or "" for one in root.findall("ERROR")]
    errors += [f"invalid id {one.text}" for one in root.findall("InvalidIdList/Id")]
    webenv, key = root.findtext("WebEnv", ""), root.findtext("QueryKey", "")
    assert epost.read_all(body) == epost.Posted(webenv, key, errors)
    if errors:
        with pytest.raises(RequestFailed) as caught:
            epost.read(body)
        assert caught.value.fault is Fault.SERVER
        assert caught.value.reason.startswith(errors[0][:150])
    else:
        assert epost.read(body) == epost.Posted(webenv, key)


def test_half_a_success_of_epost_is_none() -> None:
    half = epost.read_all(body_of("quoted-in-issues-and-docs/epost_accessions_errors.xml"))
    assert half.webenv
    assert len(half.errors) == 2
    body = b'{"header":{},"epostresult":{"querykey":"1","webenv":"M","ERROR":"Some IDs\nbad"}}'
    with pytest.raises(RequestFailed, match="Some IDs bad"):
        epost.read(body)
    assert epost.read(body.replace(b',"ERROR":"Some IDs\nbad"', b"")) == epost.Posted("M", "1")
