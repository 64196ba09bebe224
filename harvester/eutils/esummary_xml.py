"""Document summaries in XML, as the dictionaries that ESummary's JSON has.

There are two forms: `DocumentSummary` (version=2.0) has the fields of the JSON, `DocSum` (the
default) has older ones in `Item` elements. Names become lower case, as in the JSON; an element
whose children all have one name becomes a list. Numbers stay texts: only the JSON tells them apart.

Sources: pairs of XML and JSON of the same records, made by NCBI's own stylesheet (2012 to 2016),
and answers recorded from 2008 to 2023.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harvester.errors import Fault, RequestFailed
from harvester.eutils.parsing import texts, xml_root

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Characters that XML does not allow and that NCBI's records contain at times."""

_TYPES = frozenset(("string", "int", "flag"))
"""Names of list items that are only types."""

_ERROR_OF_UID = re.compile(r"UID=(\d+): (.+)", re.DOTALL)
"""Form of an ERROR about one UID among DocSums."""


def read_xml(body: bytes) -> tuple[list[tuple[str, dict[str, Any] | str]], list[str]]:
    """Return the summaries of an XML answer, and the ERRORs about all of it.

    Returns:
        Pairs of a UID and its summary, or the text of its error, in the order of the answer; and
        the texts of the other ERRORs.

    Raises:
        RequestFailed: the body is not a whole answer of ESummary.
    """
    root = xml_root(_CONTROLS.sub(b" ", body), "eSummaryResult", "ESummary")
    found: list[tuple[str, dict[str, Any] | str]] = []
    errors: list[str] = []
    for text in texts(root, "ERROR") + texts(root, "DocumentSummarySet/ERROR"):
        of_uid = _ERROR_OF_UID.fullmatch(text)
        if of_uid:
            found.append((of_uid[1], of_uid[2]))
        else:
            errors.append(text)
    found += [_document_summary(one) for one in root.iterfind("DocumentSummarySet/DocumentSummary")]
    found += [_docsum(one) for one in root.iterfind("DocSum")]
    if not (found or errors) and root.find("DocumentSummarySet") is None:
        raise RequestFailed(Fault.BODY, "ESummary gave no summaries")
    return found, errors


def _document_summary(element: Element) -> tuple[str, dict[str, Any] | str]:
    uid = element.get("uid", "").strip()
    errors = texts(element, "error")
    if errors:
        return uid, "; ".join(errors)
    members = {child.tag.lower(): _value(child) for child in element}
    return uid, {"uid": uid, **members}


def _value(element: Element) -> Any:
    children, text = list(element), element.text or ""
    if element.attrib:  # `<Stat type="all" count="4"/>`, `<Properties na="1">33</Properties>`
        members = {name.lower(): value for name, value in element.attrib.items()}
        members |= {child.tag.lower(): _value(child) for child in children}
        return members | ({"value": text.strip()} if text.strip() else {})
    if not children:
        # `<Mim>\n</Mim>` is an empty list, `<Summary></Summary>` an empty text.
        return [] if "\n" in text and not text.strip() else text.strip()
    if len({child.tag for child in children}) == 1:
        return [_value(child) for child in children]
    return {child.tag.lower(): _value(child) for child in children}


def _docsum(element: Element) -> tuple[str, dict[str, Any] | str]:
    uid = element.findtext("Id", "").strip()
    return uid, {"uid": uid, **_items(element)}


def _items(element: Element) -> dict[str, Any]:
    return {item.get("Name", "").lower(): _item(item) for item in element.iterfind("Item")}


def _item(item: Element) -> Any:
    match item.get("Type"):
        case "List":
            members = [(one.get("Name", ""), _item(one)) for one in item.iterfind("Item")]
            # `AuthorList` holds `Author` items; `ArticleIds` holds `pubmed`, `doi` and others.
            if all(name in _TYPES or item.get("Name", "").startswith(name) for name, _ in members):
                return [value for _, value in members]
            return [{"name": name, "value": value} for name, value in members]
        case "Structure":
            return _items(item)
        case _:
            return "".join(item.itertext()).strip()
