"""EInfo: the databases, and the links and fields of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import orjson

from harvester.emulator.answers.answer import JSON_TYPE, Answer
from harvester.emulator.answers.errors import error_200
from harvester.emulator.answers.prologs import prolog
from harvester.emulator.databases import DATABASES, canonical
from harvester.emulator.utilities.fields import listed

if TYPE_CHECKING:
    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend

BUILD, UPDATED = "Build-2025.11.27.06.33", "2025/11/27 06:33"
_MENUS = {"pubmed": "PubMed", "pmc": "PMC", "nuccore": "Nucleotide", "snp": "SNP", "sra": "SRA"}


def einfo(request: UtilityRequest, backend: Backend) -> Answer:
    """Return the list of databases, or the description of one."""
    db = canonical(request.get("db"))
    if not db:
        return _list(
            [*DATABASES, *sorted(set(backend.graph.databases()) - set(DATABASES))], request
        )
    if not backend.knows(db):
        text = f"Can not retrieve DbInfo for db={db}"
        return error_200("einfo", text, json=request.json)
    return _info(db, request, backend)


def _list(names: list[str], request: UtilityRequest) -> Answer:
    if request.json:
        return _json({"dblist": names})
    listed = "".join(f"\t<DbName>{name}</DbName>\n" for name in names)
    body = f"{prolog('einfo')}<eInfoResult>\n<DbList>\n\n{listed}</DbList>\n\n</eInfoResult>\n"
    return Answer(body.encode())


def _info(db: str, request: UtilityRequest, backend: Backend) -> Answer:
    menu = _MENUS.get(db, db.title())
    head = {
        "DbName": db,
        "MenuName": menu,
        "Description": f"{menu} record",
        "DbBuild": BUILD,
        "Count": str(len(backend.graph.records(db))),
        "LastUpdate": UPDATED,
    }
    links = [
        {
            "Name": family.linkname,
            "Menu": f"{_MENUS.get(family.dbto, family.dbto.title())} Links",
            "Description": f"{family.dbto} records linked to {db} records",
            "DbTo": family.dbto,
        }
        for family in backend.graph.families(db)
        if family.listed
    ]
    newer = request.get("version").startswith("2")
    fields = [_field(*field, newer=newer) for field in listed(db)]
    if request.json:
        # An object in 2018, an array of one in 2026.
        lists = {"fieldlist": [_lower(f) for f in fields], "linklist": [_lower(k) for k in links]}
        return _json({"dbinfo": [_lower(head) | lists]})
    body = (
        f"{prolog('einfo')}<eInfoResult>\n\t<DbInfo>\n{_elements(head, 2)}"
        f"\t\t<FieldList>\n{_list_of('Field', fields)}\t\t</FieldList>\n"
        f"\t\t<LinkList>\n{_list_of('Link', links)}\t\t</LinkList>\n"
        "\t</DbInfo>\n\n</eInfoResult>\n"
    )
    return Answer(body.encode())


def _field(name: str, full: str, is_date: bool, *, newer: bool) -> dict[str, str]:
    """Return the description of a search field; `version=2.0` adds two members (NBK25499)."""
    field = {
        "Name": name,
        "FullName": full,
        "Description": f"{full} of the record",
        "TermCount": "",
        "IsDate": "Y" if is_date else "N",
        "IsNumerical": "Y" if name == "UID" else "N",
        "SingleToken": "Y",
        "Hierarchy": "N",
        "IsHidden": "N",
    }
    return field | ({"IsTruncatable": "Y", "IsRangable": "N"} if newer else {})


def _lower(members: dict[str, str]) -> dict[str, Any]:
    return {name.lower(): value for name, value in members.items()}


def _json(result: dict[str, Any]) -> Answer:
    header = {"type": "einfo", "version": "0.3"}
    return Answer(orjson.dumps({"header": header, "einforesult": result}) + b"\n", JSON_TYPE)


def _list_of(name: str, items: list[dict[str, str]]) -> str:
    return "".join(f"\t\t\t<{name}>\n{_elements(item, 4)}\t\t\t</{name}>\n" for item in items)


def _elements(members: dict[str, str], depth: int) -> str:
    tabs = "\t" * depth
    return "".join(
        f"{tabs}<{name}>{escape(value)}</{name}>\n" if value else f"{tabs}<{name}/>\n"
        for name, value in members.items()
    )
