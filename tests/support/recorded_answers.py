"""Recorded responses, and their content as independent readers see it: json, ElementTree,
Biopython.
"""

from __future__ import annotations

import csv
import json
import os
import re
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from Bio import Entrez

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.eutils.elink.linksets import LinkSets

RECORDED = Path(
    os.environ.get("RECORDED_ANSWERS") or Path(__file__).parents[1] / "recorded" / "data"
)
"""The answers and INDEX.tsv. SOURCES.md beside the data says where they are from."""

Link = tuple[int, int | None]
"""To UID and score."""

_TODAY = (
    b'<?xml version="1.0" encoding="UTF-8" ?>\n'
    b'<!DOCTYPE eLinkResult PUBLIC "-//NLM//DTD elink 20101123//EN" '
    b'"https://eutils.ncbi.nlm.nih.gov/eutils/dtd/20101123/elink.dtd">\n'
)


@dataclass
class LinkSet:
    """One LinkSet of a response; lists without links are left out."""

    ids: list[str]
    lists: list[tuple[str, str, list[Link]]] = field(default_factory=list)
    """dbto, linkname and links of each LinkSetDb."""
    error: str | None = None


@dataclass
class Answer:
    """The content of one response."""

    linksets: list[LinkSet] = field(default_factory=list)
    error: str | None = None


def names(form: str, utility: str = "elink") -> list[str]:
    """Return the names of the recorded responses of a utility in one form."""
    with (RECORDED / "INDEX.tsv").open(encoding="utf-8", newline="") as index:
        rows = list(csv.DictReader(index, delimiter="\t"))
    return [row["file"] for row in rows if (row["util"], row["format"]) == (utility, form)]


def body_of(name: str) -> bytes:
    """Return a recorded response."""
    return (RECORDED / name).read_bytes()


# --- what a reader of ours found ------------------------------------------------------------


def plain(found: LinkSets) -> Answer:
    """Return the columns of a reader as rows."""
    assert len(found.ids) == len(found.errors)
    assert len(found.owner) == len(found.dbto) == len(found.linkname) == len(found.counts)
    assert len(found.to_uid) == sum(found.counts)
    to_uid = found.to_uid.to_pylist()
    scores = [None] * len(to_uid) if found.score is None else found.score.to_pylist()
    links = list(zip(to_uid, scores, strict=True))
    linksets = [
        LinkSet(list(ids), [], error) for ids, error in zip(found.ids, found.errors, strict=True)
    ]
    start = 0
    for owner, dbto, linkname, count in zip(
        found.owner, found.dbto, found.linkname, found.counts, strict=True
    ):
        linksets[owner].lists.append((dbto, linkname, links[start : start + count]))
        start += count
    return Answer(linksets, found.error)


# --- what others find -----------------------------------------------------------------------


def by_json(body: bytes) -> Answer:
    """Read with Python's own JSON reader, line ends inside texts permitted."""
    document: dict[str, Any] = json.loads(body.decode(), strict=False)
    return Answer([_json_linkset(one) for one in document["linksets"]], document.get("ERROR"))


def _json_linkset(linkset: dict[str, Any]) -> LinkSet:
    found = LinkSet([str(uid) for uid in linkset.get("ids", [])])
    errors = [linkset.get("ERROR"), *linkset.get("ERRORS", [])]
    for db in linkset.get("linksetdbs", []):
        errors.append(db.get("ERROR"))
        links = [_json_link(link) for link in db.get("links", [])]
        if links:
            found.lists.append((db["dbto"], db["linkname"], links))
    found.error = next((error for error in errors if error), None)
    return found


def _json_link(link: str | int | dict[str, Any]) -> Link:
    if isinstance(link, dict):
        return int(link["id"]), int(link["score"]) if "score" in link else None
    return int(link), None


def by_elementtree(body: bytes) -> Answer:
    """Read with Python's own XML reader."""
    root = ET.fromstring(body)
    assert root.tag == "eLinkResult"
    return Answer([_xml_linkset(one) for one in root.findall("LinkSet")], _text(root, "ERROR"))


def _xml_linkset(linkset: ET.Element) -> LinkSet:
    ids = [uid.text or "" for uid in linkset.findall("IdList/Id")]
    found = LinkSet(ids, [], _text(linkset, ".//ERROR"))
    for db in linkset.findall("LinkSetDb"):
        links = [(int(_must(link, "Id")), _score(link)) for link in db.findall("Link")]
        if links:
            found.lists.append((_must(db, "DbTo"), _must(db, "LinkName"), links))
    return found


def _score(link: ET.Element) -> int | None:
    score = link.findtext("Score")
    return None if score is None else int(score)


def _text(element: ET.Element, path: str) -> str | None:
    text = element.findtext(path)
    return None if text is None else text.strip()


def _must(element: ET.Element, path: str) -> str:
    text = element.findtext(path)
    assert text is not None
    return text


def by_biopython(body: bytes) -> list[LinkSet]:
    """Read with the parser of `Bio.Entrez`, which follows the DTD."""
    read: Any = Entrez.read
    records = read(BytesIO(biopython_body(body)), validate=False)
    return [
        LinkSet([str(uid) for uid in record["IdList"]], _biopython_lists(record["LinkSetDb"]))
        for record in records
    ]


def biopython_body(body: bytes) -> bytes:
    """Replace older or missing prologs by today's: Biopython knows only today's DTD."""
    return _TODAY + re.sub(rb"\A.*?(?=<eLinkResult>)", b"", body, count=1, flags=re.DOTALL)


def _biopython_lists(linksetdbs: Sequence[Any]) -> list[tuple[str, str, list[Link]]]:
    return [
        (
            str(db["DbTo"]),
            str(db["LinkName"]),
            [(int(link["Id"]), _biopython_score(link)) for link in db["Link"]],
        )
        for db in linksetdbs
        if db["Link"]
    ]


def _biopython_score(link: Any) -> int | None:
    return int(link["Score"]) if "Score" in link else None
