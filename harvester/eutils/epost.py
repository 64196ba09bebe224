"""EPost: put a list of UIDs on the History server.

It can succeed in part: NCBI makes a set, and an ERROR says that ids were left out, or that an
accession was split into the numbers between its letters (recorded in 2025). Such a set differs from
the list that was sent, so `read` raises.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.parsing import is_json, json_object, texts, xml_root

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PATH = "epost.fcgi"

MOST = 10_000
"""UIDs of PubMed per request; of accessions 500 (users' reports)."""


@dataclass(frozen=True, slots=True)
class Posted:
    """EPost's answer to a list.

    Attributes:
        webenv: WebEnv of the set; empty if there is none.
        query_key: query key of the set.
        errors: NCBI's texts; there may be a set nevertheless.
    """

    webenv: str
    query_key: str
    errors: list[str] = field(default_factory=list)


def read(body: bytes) -> Posted:
    """Return an answer whose set holds the whole list.

    Raises:
        RequestFailed: the body is not an answer of EPost, or holds an ERROR, even beside a set.
    """
    posted = read_all(body)
    if posted.errors:
        raise RequestFailed(Fault.SERVER, printable("; ".join(posted.errors)))
    if not (posted.webenv and posted.query_key):
        raise RequestFailed(Fault.BODY, "EPost names no set")
    return posted


def read_all(body: bytes) -> Posted:
    """Return an answer in either form, with its errors.

    Raises:
        RequestFailed: the body is not an answer of EPost.
    """
    if is_json(body):
        return _from_json(json_object(body, "EPost"))
    return _from_xml(xml_root(body, "ePostResult", "EPost"))


def _from_json(document: dict[str, Any]) -> Posted:
    result = document.get("epostresult")
    if not isinstance(result, dict):
        raise RequestFailed(Fault.BODY, "the answer is JSON, but not of EPost")
    listed = [*_listed(result.get("ERROR")), *_listed(result.get("ERRORS"))]
    listed += [f"invalid id {one}" for one in _listed(result.get("invalididlist"))]
    return Posted(str(result.get("webenv") or ""), str(result.get("querykey") or ""), listed)


def _from_xml(root: Element) -> Posted:
    errors = texts(root, "ERROR") + [f"invalid id {one}" for one in texts(root, "InvalidIdList/Id")]
    webenv, query_key = (root.findtext(name, "").strip() for name in ("WebEnv", "QueryKey"))
    return Posted(webenv, query_key, errors)


def _listed(value: object) -> list[str]:
    """Return one text or several as a list."""
    if isinstance(value, list):
        return [str(one) for one in value]
    return [str(value)] if value else []
