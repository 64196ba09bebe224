"""What is borne with in ELink's answers of either form, and what is refused.

NCBI pastes the text of exceptions in as it came, control characters and all: they are mended
inside ERROR texts, and nowhere else (joined digits elsewhere would make ids that nobody sent). A
DTD is never fetched; a document that declares entities of its own, or nests without end, is
refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import orjson

from harvester.eutils.elink.linksets import Unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

Read = TypeVar("Read")

_JSON_ERROR = re.compile(rb'"ERROR":"(?:[^"\\]|\\.)*"', re.DOTALL)
_XML_ERROR = re.compile(rb"<ERROR>.*?</ERROR>", re.DOTALL)
_CONTROLS_TO_BLANKS = bytes.maketrans(bytes(range(32)), b" " * 32)

DEEPEST = 20
"""Elements inside each other at most; an answer has 6."""


def json_answer(body: bytes) -> dict[str, Any]:
    """The JSON of an ELink answer.

    Raises:
        Unreadable: not JSON, or not ELink's.
    """
    document = mending_json(body, _JSON_ERROR)
    if not isinstance(document, dict) or not (document.keys() & {"linksets", "ERROR"}):
        raise Unreadable("JSON, but not an ELink answer")
    return document


def mending_json(body: bytes, errors: re.Pattern[bytes]) -> Any:
    """A JSON document; with its ERROR texts, which a pattern finds, mended where it is not valid.

    Raises:
        Unreadable: not valid.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return orjson.loads(errors.sub(_without_controls, body))
        except orjson.JSONDecodeError as error:
            raise Unreadable("not valid JSON, or cut short") from error


def mending_xml(body: bytes, read: Callable[[bytes], Read]) -> Read:
    """What `read` makes of an XML body; with its ERROR texts mended, where it is not well-formed.

    Raises:
        Unreadable: not well-formed.
    """
    try:
        return read(body)
    except expat.ExpatError:
        try:
            return read(_XML_ERROR.sub(_without_controls, body))
        except expat.ExpatError as error:
            raise Unreadable("not well-formed XML, or cut short") from error


def xml_parser() -> expat.XMLParserType:
    """A parser that gives whole texts, and raises `Unreadable` at a declared entity."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.EntityDeclHandler = _refuse
    parser.SkippedEntityHandler = _refuse
    return parser


def xml_tree(body: bytes, deepest: int = DEEPEST) -> Element:
    """The root element of an XML document.

    Raises:
        Unreadable: it declares entities, or nests deeper than it may.
        xml.parsers.expat.ExpatError: it is not well-formed.
    """
    builder, depth = TreeBuilder(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > deepest:
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


def _refuse(*_: object) -> None:
    raise Unreadable("XML that declares entities")


def _without_controls(text: re.Match[bytes]) -> bytes:
    return text[0].translate(_CONTROLS_TO_BLANKS)
