"""JSON and XML of all utilities, read safely.

NCBI inserts the text of exceptions unescaped into both forms: line ends inside a string make
invalid JSON, control characters make invalid XML (recorded in 2023). This module repairs them
inside ERROR texts and nowhere else; joining digits anywhere else would make ids that NCBI never
sent. It never fetches a DTD, and rejects documents that declare entities or nest too deeply.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import orjson

from harvester.errors import Fault, RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

MAX_DEPTH = 20
"""Nesting depth of XML elements. An ELink answer has 6."""

_MAX_DEPTH_ELSEWHERE = 100
"""The same for the answers of other utilities."""

_JSON_ERROR = re.compile(rb'"(?:ERROR|error)"\s*:\s*"(?:[^"\\]|\\.)*"', re.DOTALL)
_XML_ERROR = re.compile(rb"<ERROR>.*?</ERROR>", re.DOTALL)
_REJECTED = re.compile(
    r"command not supported|(?:invalid|wrong) db name|can't apply term", re.IGNORECASE
)
_OF_IDS = re.compile(
    r"failed to (?:understand id|retrieve sequence)|ID list is empty|no correct IDs", re.IGNORECASE
)
_SPACED_OUT = re.compile(r"(?<!\S)(?:\S {1,2}){5,}\S(?!\S)")
"""Six or more single characters with one or two blanks between them."""

_CONTROLS_TO_BLANKS = bytes.maketrans(bytes(range(32)), b" " * 32)


class Unreadable(ValueError):
    """The body is not a whole answer in the requested form; the text says why."""


def unreadable(reason: str) -> RequestFailed:
    """Return a failure of the form of an answer: the other form, JSON or XML, may help."""
    failure = RequestFailed(Fault.BODY, reason)
    failure.unreadable = True
    return failure


# --- ELink ----------------------------------------------------------------------------------


def json_answer(body: bytes) -> dict[str, Any]:
    """Return the JSON object of an ELink answer.

    Raises:
        Unreadable: the body is not JSON, or not of ELink.
    """
    document = _load_json(body)
    if not isinstance(document, dict) or not (document.keys() & {"linksets", "ERROR"}):
        raise Unreadable("JSON, but not an ELink answer")
    return document


def mend_xml(body: bytes, read: Callable[[bytes], T]) -> T:
    """Return what `read` makes of an XML body; repair its ERROR texts if it is not well-formed.

    Raises:
        Unreadable: the body is not well-formed.
    """
    try:
        return read(body)
    except expat.ExpatError:
        try:
            return read(_XML_ERROR.sub(_without_controls, body))
        except expat.ExpatError as error:
            raise Unreadable("not well-formed XML, or cut short") from error


def xml_parser() -> expat.XMLParserType:
    """Return a parser that passes on whole texts and raises `Unreadable` at a declared entity."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.EntityDeclHandler = _refuse
    parser.SkippedEntityHandler = _refuse
    return parser


def xml_tree(body: bytes, max_depth: int = MAX_DEPTH) -> Element:
    """Return the root element of an XML document.

    Raises:
        Unreadable: it declares entities, or nests more deeply than `max_depth`.
        xml.parsers.expat.ExpatError: it is not well-formed.
    """
    builder, depth = TreeBuilder(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > max_depth:
            raise Unreadable("XML that is nested too deeply")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    parser = xml_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.Parse(body, True)
    return builder.close()


# --- the other utilities --------------------------------------------------------------------


def is_json(body: bytes) -> bool:
    """Return whether a body is meant to be JSON."""
    return body.lstrip()[:1] in (b"{", b"[")


def json_object(body: bytes, utility: str) -> dict[str, Any]:
    """Return the object that a JSON body is.

    Args:
        body: body of the answer.
        utility: name for error texts, for example `ESearch`.

    Raises:
        RequestFailed: the body is not JSON, or cut short.
    """
    try:
        document = _load_json(body)
    except Unreadable as error:
        raise RequestFailed(Fault.BODY, f"the answer of {utility} is {error}") from error
    if not isinstance(document, dict):
        raise RequestFailed(Fault.BODY, f"the answer is JSON, but not of {utility}")
    return document


def xml_root(body: bytes, root: str, utility: str) -> Element:
    """Return the root element of an XML body.

    Args:
        body: body of the answer.
        root: name that the root must have, in any case.
        utility: name for error texts, for example `ESearch`.

    Raises:
        RequestFailed: the body is not XML, cut short, or has another root.
    """
    try:
        found = mend_xml(body, partial(xml_tree, max_depth=_MAX_DEPTH_ELSEWHERE))
    except (LookupError, ValueError, AssertionError) as error:
        raise RequestFailed(
            Fault.BODY, f"the answer of {utility} is not well-formed XML, or cut short"
        ) from error
    if found.tag.lower() != root.lower():
        raise RequestFailed(Fault.BODY, f"the answer is XML, but not of {utility}")
    return found


def texts(element: Element, path: str) -> list[str]:
    """Return the non-empty texts of the elements at a path."""
    found = ("".join(one.itertext()).strip() for one in element.iterfind(path))
    return [text for text in found if text]


def error_fault(text: str) -> Fault:
    """Return the kind of failure that an error text of any utility means.

    REJECTED concerns the request, whichever UIDs it holds: `llinkslib command not supported`
    (2026-09), `Invalid db name specified: …`, `Wrong DB name`, `Can't apply term/daterange` (2003).
    LINKSET concerns single UIDs: EFetch's `Failed to understand id` and the like (2017 to 2026).
    Both have come by chance for valid requests (2016, 2026), so they must be confirmed.
    """
    if _REJECTED.search(text):
        return Fault.REJECTED
    return Fault.LINKSET if _OF_IDS.search(text) else Fault.SERVER


def error_words(text: str) -> str:
    """Return an error text in its plain form.

    EFetch's errors come URL-encoded at times, or with a blank after each letter: `F a i l e d  t o
    u n d e r s t a n d  i d` (recorded 2026-09).
    """
    if "%20" in text or ("+" in text and " " not in text.strip()):
        text = unquote_plus(text)
    return _SPACED_OUT.sub(
        lambda found: found[0].replace("  ", "\0").replace(" ", "").replace("\0", " "), text
    )


def _close_up(text: re.Match[str]) -> str:
    return " ".join(word.replace(" ", "") for word in text[0].split("  "))


def _load_json(body: bytes) -> Any:
    """Return a JSON document; repair its ERROR texts if it is not valid."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return orjson.loads(_JSON_ERROR.sub(_without_controls, body))
        except orjson.JSONDecodeError as error:
            raise Unreadable("not valid JSON, or cut short") from error


def _refuse(*_: object) -> None:
    raise Unreadable("XML that declares entities")


def _without_controls(text: re.Match[bytes]) -> bytes:
    return text[0].translate(_CONTROLS_TO_BLANKS)
