"""What the small answers of all utilities come in: JSON or XML, told apart and read safely.

NCBI pastes exception text into both unescaped: line ends in a text make invalid JSON, control
characters invalid XML. Such bodies are mended inside their ERROR texts, and nowhere else.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from harvester.errors import Fault, RequestFailed
from harvester.eutils.elink.linksets import Unreadable
from harvester.eutils.tolerance import mending_json, mending_xml, xml_tree

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_JSON_ERROR = re.compile(rb'"(?:ERROR|error)"\s*:\s*"(?:[^"\\]|\\.)*"', re.DOTALL)

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
        document = mending_json(body, _JSON_ERROR)
    except Unreadable as error:
        raise RequestFailed(Fault.BODY, f"the answer of {utility} is {error}") from error
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
        found = mending_xml(body, partial(xml_tree, deepest=_DEEPEST))
    except (LookupError, ValueError, AssertionError) as error:
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
