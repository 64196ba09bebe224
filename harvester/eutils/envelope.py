"""What the small answers of all utilities come in: JSON or XML, told apart and read safely.

NCBI pastes exception text into both unescaped: line ends in a text make invalid JSON, control
characters invalid XML. Such bodies are mended inside their ERROR texts, and nowhere else.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import orjson

from harvester.errors import Fault, RequestFailed

_JSON_ERROR = re.compile(rb'"(?:ERROR|error)"\s*:\s*"(?:[^"\\]|\\.)*"', re.DOTALL)
_XML_ERROR = re.compile(rb"<ERROR>.*?</ERROR>", re.DOTALL)
_CONTROLS_TO_BLANKS = bytes.maketrans(bytes(range(32)), b" " * 32)

_DEEPEST = 100
"""Elements inside each other at most."""


def is_json(body: bytes) -> bool:
    """Whether a body is meant as JSON."""
    return body.lstrip()[:1] in (b"{", b"[")


def json_object(body: bytes, utility: str) -> dict[str, Any]:
    """The object that a JSON body is.

    Args:
        body: of the answer.
        utility: as a sentence has it, for example `ESearch`.

    Raises:
        RequestFailed: it is no JSON, or cut short.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            document = orjson.loads(_JSON_ERROR.sub(_without_controls, body))
        except orjson.JSONDecodeError as error:
            raise RequestFailed(
                Fault.BODY, f"the answer of {utility} is not valid JSON, or cut short"
            ) from error
    if not isinstance(document, dict):
        raise RequestFailed(Fault.BODY, f"the answer is JSON, but not of {utility}")
    return document


def xml_root(body: bytes, root: str, utility: str) -> Element:
    """The root element of an XML body. No DTD is fetched; own entities are refused.

    Args:
        body: of the answer.
        root: the name that the root must have, in whatever case.
        utility: as a sentence has it, for example `ESearch`.

    Raises:
        RequestFailed: it is no XML, cut short, or has another root.
    """
    try:
        try:
            found = _tree(body)
        except expat.ExpatError:
            found = _tree(_XML_ERROR.sub(_without_controls, body))
    except (expat.ExpatError, LookupError, ValueError, AssertionError) as error:
        raise RequestFailed(
            Fault.BODY, f"the answer of {utility} is not well-formed XML, or cut short"
        ) from error
    if found.tag.lower() != root.lower():
        raise RequestFailed(Fault.BODY, f"the answer is XML, but not of {utility}")
    return found


def texts(element: Element, path: str) -> list[str]:
    """The texts of the elements at a path that have any."""
    found = ("".join(one.itertext()).strip() for one in element.iterfind(path))
    return [text for text in found if text]


def _tree(body: bytes) -> Element:
    builder, depth = TreeBuilder(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        builder.start(name, attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(name)

    def refuse(*_: object) -> None:
        raise ValueError("entities of its own")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    parser.SkippedEntityHandler = refuse
    parser.Parse(body, True)
    return builder.close()


def _without_controls(text: re.Match[bytes]) -> bytes:
    return text[0].translate(_CONTROLS_TO_BLANKS)
