"""LinkSets of either form as the dictionaries of NCBI's JSON.

Rules from XML to JSON: NCBI's own XSLT of 2015 (header version 0.3) and its samples. Names in lower
case, repeated elements as lists, Url and IconUrl as objects of `value` and `lng` (a default of the
DTD); `info` replaces links. For cmds with few rows per id; the neighbor readers make columns
directly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from harvester.eutils.parsing import Unreadable, json_answer, mend_xml, xml_tree

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

Object: TypeAlias = dict[str, Any]

_TEXTS = {
    "DbFrom": "dbfrom", "DbTo": "dbto", "LinkName": "linkname", "MenuTag": "menutag",
    "HtmlTag": "htmltag", "Priority": "priority", "QueryKey": "querykey", "WebEnv": "webenv",
    "Id": "id", "Info": "info", "Name": "name", "NameAbbr": "nameabbr",
}  # fmt: skip
_ADDRESSES = {"Url": "url", "IconUrl": "iconurl"}
_REPEATED_TEXTS = {
    "SubjectType": "subjecttypes", "Category": "categories", "Attribute": "attributes",
}  # fmt: skip
_OBJECTS = {"Provider": "provider", "SubProvider": "subprovider", "IdCheckList": "idchecklist"}
_REPEATED_OBJECTS = {
    "LinkSetDb": "linksetdbs", "LinkSetDbHistory": "linksetdbhistories",
    "IdLinkSet": "idlinksets", "LinkInfo": "linkinfos", "ObjUrl": "objurls",
}  # fmt: skip
_ERRORS = ("ERROR", "error")


def json_linksets(body: bytes) -> tuple[str | None, list[Object]]:
    """Return the ERROR about a whole JSON answer, and its LinkSets.

    Raises:
        Unreadable: not JSON, or not of ELink's shape.
    """
    document = json_answer(body)
    return error_in(document), objects(document, "linksets")


def xml_linksets(body: bytes) -> tuple[str | None, list[Object]]:
    """Return the ERROR about a whole XML answer, and its LinkSets as in JSON.

    Raises:
        Unreadable: not well-formed, declares entities, or not of ELink's shape.
    """
    try:
        root = mend_xml(body, xml_tree)
    except Unreadable:
        raise
    except (AssertionError, LookupError, ValueError) as error:  # unknown encodings
        raise Unreadable("XML of another shape than an ELink answer") from error
    if root.tag != "eLinkResult":
        raise Unreadable("XML, but not an ELink answer")
    if {child.tag for child in root} - {"LinkSet", *_ERRORS}:
        raise Unreadable("XML of another shape than an ELink answer")
    whole: Object = {}
    _add_errors(whole, root)
    return error_in(whole), [_linkset(one) for one in root if one.tag == "LinkSet"]


# --- members of a dictionary, of the type they must have -------------------------------------


def objects(parent: Object, name: str) -> list[Object]:
    """Return a list of objects; an empty list if it is absent.

    Raises:
        Unreadable: it is something else.
    """
    found = parent.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Unreadable(f"an ELink answer whose {name} is not a list of objects")
    return found


def child(parent: Object, name: str) -> Object:
    """Return an object; an empty one if it is absent.

    Raises:
        Unreadable: it is something else.
    """
    found = parent.get(name)
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise Unreadable(f"an ELink answer whose {name} is not an object")
    return found


def text(parent: Object, name: str) -> str | None:
    """Return a stripped text, or the `value` of an object; None if it is absent.

    Raises:
        Unreadable: it is something else.
    """
    found = parent.get(name)
    if isinstance(found, dict):
        found = found.get("value")
    return None if found is None else _plain(found, name)


def texts(parent: Object, name: str) -> list[str]:
    """Return a list of texts; an empty list if it is absent.

    Raises:
        Unreadable: it is something else.
    """
    found = parent.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Unreadable(f"an ELink answer whose {name} is not a list")
    return [_plain(one, name) for one in found]


def error_in(parent: Object) -> str | None:
    """Return the ERROR of an object; several are a list named ERRORS."""
    error = parent.get("ERROR") or parent.get("ERRORS")
    if isinstance(error, list):
        error = "; ".join(map(str, error))
    return str(error) if error else None


def _plain(found: object, name: str) -> str:
    """Return a text; ids are texts today and were numbers in 2015."""
    if isinstance(found, str):
        return found.strip()
    if isinstance(found, int) and not isinstance(found, bool):
        return str(found)
    raise Unreadable(f"an ELink answer whose {name} is not a text")


# --- XML --------------------------------------------------------------------------------------


def _linkset(element: Element) -> Object:
    made = _object(element)
    for part in element:
        if part.tag == "IdList":
            made.setdefault("ids", []).extend(_text(uid) for uid in part.findall("Id"))
        elif part.tag == "IdUrlList":
            sets = [_object(one) for one in part.findall("IdUrlSet")]
            made.setdefault("idurllist", []).extend(sets)
            _add_errors(made, part)
    return made


def _object(element: Element) -> Object:
    if element.tag == "IdCheckList":
        return _idchecklist(element)
    made: Object = {}
    for part in element:
        tag = part.tag
        if tag in _TEXTS:
            made.setdefault(_TEXTS[tag], _text(part))
        elif tag in _ADDRESSES:
            address = {"value": _text(part), "lng": part.get("LNG", "EN")}
            made.setdefault(_ADDRESSES[tag], address)
        elif tag in _REPEATED_TEXTS:
            made.setdefault(_REPEATED_TEXTS[tag], []).append(_text(part))
        elif tag in _OBJECTS:
            made.setdefault(_OBJECTS[tag], _object(part))
        elif tag in _REPEATED_OBJECTS:
            made.setdefault(_REPEATED_OBJECTS[tag], []).append(_object(part))
    if element.tag == "LinkSetDb":
        _add_links(made, element)
    _add_errors(made, element)
    return made


def _idchecklist(element: Element) -> Object:
    made: Object = {}
    for part in element:
        if part.tag == "Id":
            marks = {name.lower(): mark for name, mark in part.items()}
            made.setdefault("ids", []).append({"value": _text(part)} | marks)
        elif part.tag == "IdLinkSet":
            made.setdefault("idlinksets", []).append(_object(part))
    _add_errors(made, element)
    return made


def _add_links(made: Object, element: Element) -> None:
    """Add links as ids; as objects, if any has a score."""
    found = element.findall("Link")
    links: list[Any] = [_text(uid) for link in found for uid in link.findall("Id")]
    if len(links) != len(found):
        raise Unreadable("XML with links out of place")
    scores = [link.findtext("Score") for link in found]
    if any(score is not None for score in scores):
        links = [
            {"id": uid} if score is None else {"id": uid, "score": _whole(score)}
            for uid, score in zip(links, scores, strict=True)
        ]
    if links:
        made["links"] = links


def _add_errors(made: Object, element: Element) -> None:
    found = [_text(part) or "ERROR" for part in element if part.tag in _ERRORS]
    found += [one for one in (made.pop("ERROR", None), *made.pop("ERRORS", ())) if one]
    if len(found) == 1:
        made["ERROR"] = found[0]
    elif found:
        made["ERRORS"] = found


def _whole(score: str) -> int:
    try:
        return int(score)
    except ValueError as error:
        raise Unreadable("an ELink answer with scores that are not whole numbers") from error


def _text(element: Element) -> str:
    return "".join(element.itertext()).strip()
