"""EInfo, EGQuery and ESpell: our readers and independent ones on every recorded response."""

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

from harvester.errors import RequestFailed
from harvester.eutils import egquery, einfo, espell
from harvester.eutils.einfo import DbField, DbInfo, DbLink

CUT = "biopython-biopython/einfo4.xml"
"""Recordings that were truncated before they were published."""

_DTDS = {
    "eInfoResult": b'<!DOCTYPE eInfoResult PUBLIC "-//NLM//DTD einfo 20190110//EN" '
    b'"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20190110/einfo.dtd">\n',
    "eSpellResult": b"<!DOCTYPE eSpellResult PUBLIC "
    b'"-//NLM//DTD eSpellResult, 23 November 2004//EN" "https://www.ncbi.nlm.nih.gov/entrez/query/DTD/eSpell.dtd">\n',
    "Result": b'<!DOCTYPE Result PUBLIC "-//NLM//DTD eSearchResult, January 2004//EN" '
    b'"https://www.ncbi.nlm.nih.gov/entrez/query/DTD/egquery.dtd">\n',
}


def _names(util: str) -> list[str]:
    with (RECORDED / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = list(csv.DictReader(index, delimiter="\t"))
    return [row["file"] for row in rows if row["util"] == util and row["file"] != CUT]


EINFO = _names("einfo")
EGQUERY, ESPELL = _names("egquery"), _names("espell")


def _of_einfo(word: bytes) -> list[str]:
    return [name for name in EINFO if word in body_of(name).lower()]


LISTS, INFOS, ERRORS = _of_einfo(b"dblist"), _of_einfo(b"menuname"), _of_einfo(b"retrieve dbinfo")
XML_INFOS = [name for name in INFOS if name.endswith(".xml")]


def _json_truth(body: bytes) -> DbInfo:
    info = json.loads(body)["einforesult"]["dbinfo"]
    return _truth(info, info["fieldlist"], info["linklist"])


def _xml_truth(body: bytes) -> DbInfo:
    info = ET.fromstring(body).find("DbInfo")
    assert info is not None

    def children(element: ET.Element) -> dict[str, str]:
        return {child.tag.lower(): (child.text or "").strip() for child in element}

    lists = [
        [children(one) for one in info.findall(path)]
        for path in ("FieldList/Field", "LinkList/Link")
    ]
    return _truth(children(info), *lists)


def _biopython_truth(body: bytes) -> DbInfo:
    (info,) = _biopython(body)["DbInfo"]

    def lowered(members: Any) -> dict[str, Any]:
        return {name.lower(): str(value) for name, value in members.items()}

    return _truth(lowered(info), map(lowered, info["FieldList"]), map(lowered, info["LinkList"]))


def _biopython(body: bytes) -> Any:
    """Parse with `Bio.Entrez`, which knows only today's DTDs."""
    start = re.search(rb"<(eInfoResult|eSpellResult|Result)>", body)
    assert start is not None
    prolog = b'<?xml version="1.0" encoding="UTF-8" ?>\n' + _DTDS[start[1].decode()]
    read: Any = Entrez.read
    return read(BytesIO(prolog + body[start.start() :]), validate=False)


def _truth(info: Any, fields: Any, links: Any) -> DbInfo:
    def number(text: str) -> int | None:
        return int(text) if text else None

    return DbInfo(
        name=info["dbname"],
        menu_name=info["menuname"],
        description=info["description"],
        build=info.get("dbbuild", ""),
        count=number(info["count"]),
        last_update=info["lastupdate"],
        fields=tuple(
            DbField(
                name=one["name"],
                full_name=one["fullname"],
                description=one["description"],
                terms=number(one["termcount"]),
                is_date=one["isdate"] == "Y",
                is_numerical=one["isnumerical"] == "Y",
                is_hidden=one["ishidden"] == "Y",
            )
            for one in fields
        ),
        links=tuple(
            DbLink(
                name=one["name"], menu=one["menu"], description=one["description"], dbto=one["dbto"]
            )
            for one in links
        ),
    )


def test_every_recorded_answer_is_of_some_kind() -> None:
    assert sorted([*LISTS, *INFOS, *ERRORS]) == sorted(EINFO)
    assert len(LISTS) >= 4
    assert len(INFOS) >= 5
    assert any("2008" in name for name in INFOS)
    assert EGQUERY
    assert len(ESPELL) >= 3


@pytest.mark.parametrize("name", INFOS)
def test_a_database_is_read_as_others_read_it(name: str) -> None:
    body = body_of(name)
    found = einfo.read_info(body)
    assert found == (_xml_truth if name.endswith(".xml") else _json_truth)(body)
    assert found.links
    assert found.fields


@pytest.mark.parametrize("name", XML_INFOS)
def test_a_database_is_read_as_biopython_reads_it(name: str) -> None:
    assert einfo.read_info(body_of(name)) == _biopython_truth(body_of(name))


@pytest.mark.parametrize("name", [name for name in INFOS if name.endswith(".json")])
def test_an_array_of_one_is_read_like_the_object(name: str) -> None:
    """NCBI has sent an array since 2026."""
    document = json.loads(body_of(name))
    document["einforesult"]["dbinfo"] = [document["einforesult"]["dbinfo"]]
    assert einfo.read_info(json.dumps(document).encode()) == einfo.read_info(body_of(name))


def test_both_forms_of_one_database_agree() -> None:
    """They were recorded within some days, so counts differ."""
    one, other = (
        einfo.read_info(body_of(f"Klortho-Eutils-JSON/einfo.pubmed.{form}"))
        for form in ("json", "xml")
    )
    assert one is not None
    assert other is not None
    assert [link.name for link in one.links] == [link.name for link in other.links]
    assert [field.name for field in one.fields] == [field.name for field in other.fields]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_databases_is_read_as_others_read_it(name: str) -> None:
    body = body_of(name)
    if name.endswith(".json"):
        truth = json.loads(body)["einforesult"]["dblist"]
    else:
        truth = [one.text for one in ET.fromstring(body).findall("DbList/DbName")]
        assert truth == [str(one) for one in _biopython(body)["DbList"]]
    assert einfo.read_databases(body) == truth
    assert len(truth) > 30


@pytest.mark.parametrize("name", ERRORS)
def test_a_database_that_is_not_there(name: str) -> None:
    assert einfo.read_info(body_of(name)) is None
    assert einfo.read_info(body_of(name)) is None


def test_a_list_that_was_cut_is_no_answer() -> None:
    with pytest.raises(RequestFailed, match="cut short"):
        einfo.read_databases(body_of(CUT))


@pytest.mark.parametrize("name", EGQUERY)
def test_counts_are_read_as_others_read_them(name: str) -> None:
    body = body_of(name)
    found = [(hits.db, hits.count, hits.status) for hits in egquery.read(body)]
    assert found == [
        (item.findtext("DbName"), int(item.findtext("Count", "")), item.findtext("Status"))
        for item in ET.fromstring(body).iter("ResultItem")
    ]
    assert found == [
        (str(item["DbName"]), int(item["Count"]), str(item["Status"]))
        for item in _biopython(body)["eGQueryResult"]
    ]
    assert {status for _, count, status in found if count == 0} == {egquery.NOT_FOUND}


@pytest.mark.parametrize("name", ESPELL)
def test_a_corrected_query_is_read_as_others_read_it(name: str) -> None:
    body = body_of(name)
    truth = ET.fromstring(body).findtext("CorrectedQuery")
    assert truth
    assert espell.read(body) == truth == str(_biopython(body)["CorrectedQuery"])
