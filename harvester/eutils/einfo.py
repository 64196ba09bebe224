"""EInfo: the list of databases, and the fields and links of one.

The shape of its JSON has changed: `dbinfo` was an object in 2018 and is an array of one in 2026. In
both forms all values are texts, and some are empty; the DTD einfo 20190110 makes most optional.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.parsing import is_json, json_object, texts, xml_root

if TYPE_CHECKING:
    from collections.abc import Mapping
    from xml.etree.ElementTree import Element

PATH = "einfo.fcgi"

_MAX_LENGTH = 4096
"""Maximum characters of a text. The longest recorded description has some hundreds."""

_UNKNOWN = "can not retrieve dbinfo"
"""Begin of the ERROR about a database that NCBI does not know, in lower case."""


@dataclass(frozen=True, slots=True)
class DbField:
    """A field in which a database can be searched.

    Attributes:
        name: as in `cancer[TITL]`.
        full_name: as in `cancer[Title]`.
        description: NCBI's text.
        terms: distinct terms in it; None if EInfo does not say.
        is_date, is_numerical, is_hidden: as in EInfo.
    """

    name: str
    full_name: str = ""
    description: str = ""
    terms: int | None = None
    is_date: bool = False
    is_numerical: bool = False
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class DbLink:
    """A kind of link that starts from a database.

    Attributes:
        name: the linkname. Most begin with the name of the database, not all.
        menu: its name on NCBI's pages.
        description: in NCBI's words.
        dbto: database that it leads to; some no longer exist.
    """

    name: str
    menu: str = ""
    description: str = ""
    dbto: str = ""


@dataclass(frozen=True, slots=True)
class DbInfo:
    """EInfo's description of a database.

    Attributes:
        name: as in requests.
        menu_name: its name on NCBI's pages.
        description: in NCBI's words.
        build: build of its index; empty in old answers.
        count: records; None if EInfo does not say.
        last_update: YYYY/MM/DD hh:mm.
        fields: fields that can be searched.
        links: links that start from it; ELink may return more.
    """

    name: str
    menu_name: str = ""
    description: str = ""
    build: str = ""
    count: int | None = None
    last_update: str = ""
    fields: tuple[DbField, ...] = ()
    links: tuple[DbLink, ...] = ()


def read_databases(body: bytes) -> list[str]:
    """Return the names in a list of databases, in either form.

    Raises:
        RequestFailed: the body is not such a list.
    """
    if is_json(body):
        found = _result(body).get("dblist")
        names = [str(name) for name in found] if isinstance(found, list) else []
    else:
        names = texts(xml_root(body, "eInfoResult", "EInfo"), "DbList/DbName")
    if not names:
        raise RequestFailed(Fault.BODY, "EInfo lists no databases")
    return names


def read_info(body: bytes) -> DbInfo | None:
    """Return the description of a database, in either form; None if EInfo does not know it.

    Raises:
        RequestFailed: the body is not an answer of EInfo, or holds another ERROR.
    """
    if is_json(body):
        return _from_json(_result(body))
    return _from_xml(xml_root(body, "eInfoResult", "EInfo"))


def _result(body: bytes) -> dict[str, Any]:
    found = json_object(body, "EInfo").get("einforesult")
    if not isinstance(found, dict):
        raise RequestFailed(Fault.BODY, "the answer is JSON, but not of EInfo")
    return found


def _from_json(result: dict[str, Any]) -> DbInfo | None:
    found = result.get("dbinfo")
    if isinstance(found, list):
        found = found[0] if found else None
    if not isinstance(found, dict) or "dbname" not in found:
        _check_unknown(str(result.get("ERROR") or found or ""))
        return None
    lists = {name: _members(found.get(name)) for name in ("fieldlist", "linklist")}
    return _info(found, lists["fieldlist"], lists["linklist"])


def _members(listed: object) -> list[dict[str, Any]]:
    """Return the objects in a list; an empty list may be an empty text."""
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _from_xml(root: Element) -> DbInfo | None:
    found = root.find("DbInfo")
    if found is None:
        _check_unknown(" ".join(texts(root, "ERROR")))
        return None
    return _info(
        _children(found),
        [_children(one) for one in found.iterfind("FieldList/Field")],
        [_children(one) for one in found.iterfind("LinkList/Link")],
    )


def _children(element: Element) -> dict[str, Any]:
    """Return the texts of an element's children, by their names in the JSON."""
    return {child.tag.lower(): child.text for child in element}


def _check_unknown(error: str) -> None:
    """Check that an answer without a database says that there is none."""
    if not error:
        raise RequestFailed(Fault.BODY, "EInfo describes no database")
    if not error.lower().startswith(_UNKNOWN):
        raise RequestFailed(Fault.SERVER, printable(f"EInfo: {error}"))


def _info(
    found: Mapping[str, Any], fields: list[dict[str, Any]], links: list[dict[str, Any]]
) -> DbInfo:
    return DbInfo(
        _text(found, "dbname"),
        _text(found, "menuname"),
        _text(found, "description"),
        _text(found, "dbbuild"),
        _number(found, "count"),
        _text(found, "lastupdate"),
        tuple(map(_field, fields)),
        tuple(map(_link, links)),
    )


def _field(found: Mapping[str, Any]) -> DbField:
    return DbField(
        _text(found, "name"),
        _text(found, "fullname"),
        _text(found, "description"),
        _number(found, "termcount"),
        is_date=_text(found, "isdate") == "Y",
        is_numerical=_text(found, "isnumerical") == "Y",
        is_hidden=_text(found, "ishidden") == "Y",
    )


def _link(found: Mapping[str, Any]) -> DbLink:
    return DbLink(*(_text(found, name) for name in ("name", "menu", "description", "dbto")))


def _text(found: Mapping[str, Any], name: str) -> str:
    return printable(str(found.get(name) or ""), _MAX_LENGTH)


def _number(found: Mapping[str, Any], name: str) -> int | None:
    text = _text(found, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
