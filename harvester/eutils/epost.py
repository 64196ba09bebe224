"""EPost: a list of UIDs put onto the History server.

It can succeed by half: a set is made, and an ERROR beside it says that ids were left out of it, or
that an accession fell apart into the numbers between its letters (recorded in 2025). A set that is
not the list that was sent is of no use, so `read` takes that for a failure.
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
"""UIDs a request at most, of PubMed; of accessions 500 (users' reports)."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What EPost says of a list.

    Attributes:
        webenv: of the set that was made; empty where none was.
        query_key: of that set.
        errors: in NCBI's words; a set may have been made all the same.
    """

    webenv: str
    query_key: str
    errors: list[str] = field(default_factory=list)


def read(body: bytes) -> Posted:
    """An answer that says the whole list was kept.

    Raises:
        RequestFailed: it is no answer of EPost, or says ERROR, be it beside a set.
    """
    posted = told(body)
    if posted.errors:
        raise RequestFailed(Fault.SERVER, printable("; ".join(posted.errors)))
    if not (posted.webenv and posted.query_key):
        raise RequestFailed(Fault.BODY, "EPost names no set")
    return posted


def told(body: bytes) -> Posted:
    """All that an answer says, in either form, errors and all.

    Raises:
        RequestFailed: it is no answer of EPost.
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
    """One text or several, as a list."""
    if isinstance(value, list):
        return [str(one) for one in value]
    return [str(value)] if value else []
