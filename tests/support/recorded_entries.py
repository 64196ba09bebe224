"""Content of recorded responses to cmds other than neighbor, as independent readers see it.

A row is (id, a value for each column); an entry is (ids, rows). Whatever else is in an answer is
for its readers' own tests.
"""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from Bio import Entrez

from support.recorded_answers import biopython_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.eutils.elink.entries import Entries

Row = dict[str, Any]
Found = list[tuple[list[str], list[Row]]]


def plain(found: Entries) -> Found:
    """Return the columns of a reader as rows."""
    assert len(found.ids) == len(found.errors) == len(found.counts)
    assert len(found.rows) == sum(found.counts)
    rows = iter(found.rows.to_pylist())
    return [
        (ids, [next(rows) for _ in range(count)])
        for ids, count in zip(found.ids, found.counts, strict=True)
    ]


# --- ElementTree ------------------------------------------------------------------------------


def by_elementtree(body: bytes, cmd: str) -> Found:
    """Read with Python's own XML reader."""
    reads: dict[str, Callable[[ET.Element], Found]] = {
        "acheck": _et_acheck,
        "ncheck": lambda root: _et_check(root, "HasNeighbor", "has_neighbor"),
        "lcheck": lambda root: _et_check(root, "HasLinkOut", "has_linkout"),
        "urls": _et_urls,
        "history": _et_history,
    }
    return reads[cmd](ET.fromstring(body))


def _et_acheck(root: ET.Element) -> Found:
    return [
        ([_must(one, "Id")], [_et_info(info) for info in one.findall("LinkInfo")])
        for one in root.findall("LinkSet/IdCheckList/IdLinkSet")
    ]


def _et_info(info: ET.Element) -> Row:
    return {
        "dbto": _must(info, "DbTo"),
        "linkname": _must(info, "LinkName"),
        "menutag": _may(info, "MenuTag"),
        "htmltag": _may(info, "HtmlTag"),
        "url": _may(info, "Url"),
        "priority": int(_must(info, "Priority")),
    }


def _et_check(root: ET.Element, mark: str, column: str) -> Found:
    return [
        ([one.text or ""], [{column: one.attrib[mark] == "Y"}])
        for one in root.findall("LinkSet/IdCheckList/Id")
    ]


def _et_urls(root: ET.Element) -> Found:
    return [
        ([_must(one, "Id")], [_et_objurl(objurl) for objurl in one.findall("ObjUrl")])
        for one in root.findall("LinkSet/IdUrlList/IdUrlSet")
    ]


def _et_objurl(objurl: ET.Element) -> Row:
    return {
        "url": _may(objurl, "Url"),
        "iconurl": _may(objurl, "IconUrl"),
        "linkname": _may(objurl, "LinkName"),
        "subject_types": [one.text for one in objurl.findall("SubjectType")],
        "categories": [one.text for one in objurl.findall("Category")],
        "attributes": [one.text for one in objurl.findall("Attribute")],
        "provider_name": _may(objurl, "Provider/Name"),
        "provider_abbr": _may(objurl, "Provider/NameAbbr"),
        "provider_id": _may(objurl, "Provider/Id"),
        "provider_url": _may(objurl, "Provider/Url"),
    }


def _et_history(root: ET.Element) -> Found:
    return [
        (
            [uid.text or "" for uid in linkset.findall("IdList/Id")],
            [
                {
                    "dbto": _must(one, "DbTo"),
                    "linkname": _must(one, "LinkName"),
                    "webenv": _must(linkset, "WebEnv"),
                    "query_key": _must(one, "QueryKey"),
                }
                for one in linkset.findall("LinkSetDbHistory")
                if one.find("QueryKey") is not None
            ],
        )
        for linkset in root.findall("LinkSet")
    ]


def _may(element: ET.Element, path: str) -> str | None:
    text = element.findtext(path)
    return None if text is None else text.strip()


def _must(element: ET.Element, path: str) -> str:
    text = _may(element, path)
    assert text is not None
    return text


# --- JSON -------------------------------------------------------------------------------------


def history_by_json(body: bytes) -> Found:
    """Read with Python's own JSON reader; besides neighbor, only this cmd was recorded as JSON."""
    return [
        (
            [str(uid) for uid in linkset["ids"]],
            [
                {
                    "dbto": one["dbto"],
                    "linkname": one["linkname"],
                    "webenv": linkset["webenv"],
                    "query_key": one["querykey"],
                }
                for one in linkset.get("linksetdbhistories", [])
            ],
        )
        for linkset in json.loads(body)["linksets"]
    ]


# --- Biopython --------------------------------------------------------------------------------


def by_biopython(body: bytes, cmd: str) -> list[tuple[list[str], int]]:
    """Return ids and their number of rows, read with the parser of `Bio.Entrez`."""
    read: Any = Entrez.read
    found: list[tuple[list[str], int]] = []
    for linkset in read(BytesIO(biopython_body(body)), validate=False):
        if cmd == "acheck":
            sets = linkset["IdCheckList"]["IdLinkSet"]
            found += [([str(one["Id"])], len(one["LinkInfo"])) for one in sets]
        elif cmd in ("ncheck", "lcheck"):
            found += [([str(one)], 1) for one in linkset["IdCheckList"]["Id"]]
        elif cmd == "urls":
            sets = linkset["IdUrlList"]["IdUrlSet"]
            found += [([str(one["Id"])], len(one.get("ObjUrl", ()))) for one in sets]
        else:
            ids = [str(uid) for uid in linkset["IdList"]]
            found.append((ids, len(linkset["LinkSetDbHistory"])))
    return found
