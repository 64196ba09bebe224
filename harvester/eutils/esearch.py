"""ESearch: the number of records that match a query, one page of their ids, and a History set.

Shapes: answers recorded from 2008 to 2026 in both forms. In JSON all numbers are strings. ESearch
ignores unknown parts of a query and reports them together with the hits of the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.parsing import is_json, json_object, texts, xml_root

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

PATH = "esearch.fcgi"

MOST = 9_999
"""Maximum records of PubMed per query, from 0 to 9,998 (quoted in 2025)."""

_PAST_CAP = re.compile(r"cannot be larger than \d+|only retrieve the first [\d,]+ records")
_LOST = re.compile(r"Unable to obtain query|Empty history|WebEnv", re.IGNORECASE)


class PastCap(RequestFailed):
    """The page lies beyond those that ESearch returns; a retry does not help."""


class SetLost(RequestFailed):
    """The set is not on the History server, or no longer; a retry does not help."""


@dataclass(frozen=True, slots=True)
class Found:
    """An answer of ESearch.

    Attributes:
        count: records that match.
        idlist: ids of the page, as they were sent.
        webenv: WebEnv of the set on the History server; empty if none was requested.
        query_key: query key of that set.
        warnings: NCBI's texts.
        phrases_not_found: parts of the query that NCBI ignored.
        fields_not_found: names in brackets that are not fields; all fields were searched.
        query_translation: the query as NCBI understood it.
    """

    count: int
    idlist: list[str]
    webenv: str = ""
    query_key: str = ""
    warnings: list[str] = field(default_factory=list)
    phrases_not_found: list[str] = field(default_factory=list)
    fields_not_found: list[str] = field(default_factory=list)
    query_translation: str = ""

    @property
    def ids(self) -> list[int | str]:
        """UIDs of the page as numbers; with `idtype=acc`, accessions as texts."""
        return [int(one) if one.isascii() and one.isdigit() else one for one in self.idlist]


def read(body: bytes) -> Found:
    """Return an answer in either form.

    Raises:
        PastCap, SetLost: see there.
        RequestFailed: the body is not an answer of ESearch, or holds another ERROR.
    """
    if is_json(body):
        return _from_json(json_object(body, "ESearch"))
    return _from_xml(xml_root(body, "eSearchResult", "ESearch"))


def read_or_error(body: bytes) -> Found | PastCap | SetLost:
    """Return what ESearch found, or an error that a retry would not repair.

    Raises:
        RequestFailed: the body is not an answer of ESearch, or holds another ERROR.
    """
    try:
        return read(body)
    except (PastCap, SetLost) as error:
        return error


def _from_json(document: dict[str, Any]) -> Found:
    result = document.get("esearchresult", {})
    error = document.get("ERROR") or (isinstance(result, dict) and result.get("ERROR"))
    if error:
        raise _failure(str(error))
    try:
        errors, warnings = result.get("errorlist") or {}, result.get("warninglist") or {}
        return Found(
            int(result["count"]),
            _strings(result.get("idlist")),
            str(result.get("webenv") or ""),
            str(result.get("querykey") or ""),
            _warnings(
                warnings.get("outputmessages"),
                warnings.get("quotedphrasesnotfound"),
                warnings.get("phrasesignored"),
            ),
            _strings(errors.get("phrasesnotfound")),
            _strings(errors.get("fieldsnotfound")),
            str(result.get("querytranslation") or ""),
        )
    except (AttributeError, LookupError, TypeError, ValueError) as wrong:
        raise RequestFailed(Fault.BODY, "the answer is JSON, but not of ESearch") from wrong


def _from_xml(root: Element) -> Found:
    errors = texts(root, "ERROR")
    if errors:
        raise _failure(errors[0])
    try:
        count = int(root.findtext("Count", ""))
    except ValueError as wrong:
        raise RequestFailed(Fault.BODY, "the answer of ESearch has no count") from wrong
    return Found(
        count,
        texts(root, "IdList/Id"),
        root.findtext("WebEnv", "").strip(),
        root.findtext("QueryKey", "").strip(),
        _warnings(
            texts(root, "WarningList/OutputMessage"),
            texts(root, "WarningList/QuotedPhraseNotFound"),
            texts(root, "WarningList/PhraseIgnored"),
        ),
        texts(root, "ErrorList/PhraseNotFound"),
        texts(root, "ErrorList/FieldNotFound"),
        root.findtext("QueryTranslation", "").strip(),
    )


def _warnings(
    messages: list[str] | None, quoted: list[str] | None, ignored: list[str] | None
) -> list[str]:
    found = _strings(messages)
    found += [f"Quoted phrase not found: {text}" for text in _strings(quoted)]
    return found + [f"Phrase ignored: {text}" for text in _strings(ignored)]


def _strings(listed: list[Any] | None) -> list[str]:
    """Return ids or texts as strings; in old samples ids are numbers."""
    if not isinstance(listed or [], list):
        raise TypeError("no list")
    return [str(one) for one in listed or ()]


def _failure(text: str) -> RequestFailed:
    """Return the failure that an ERROR means. That of the cap is long and has line ends."""
    text = " ".join(text.split())
    if _PAST_CAP.search(text):
        return PastCap(Fault.SERVER, printable(text))
    if _LOST.search(text):
        return SetLost(Fault.SERVER, printable(text))
    return RequestFailed(Fault.SERVER, printable(text))
