"""Databases and their links, from EInfo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from harvester.client.check_names import check_databases
from harvester.errors import BadInput, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.api.connection import Connection
    from harvester.eutils.einfo import DbInfo, DbLink


async def describe_all(
    at: Connection, before: Callable[[int], None] | None
) -> dict[str, DbInfo | None]:
    """Return what `harvester.Eutils.einfo_all` returns."""
    return await at.answer("EInfo", at.catalogue.infos(before))


async def list_links(at: Connection, dbfrom: str, db: str | None) -> list[DbLink]:
    """Return what `harvester.Eutils.linknames` returns."""
    for name in (dbfrom, dbfrom if db is None else db):
        if not re.fullmatch(r"\w+", name, re.ASCII):
            raise BadInput(f"'{printable(name)}' is not a name; NCBI's names are like pubmed.")
    info = await at.answer("EInfo", at.catalogue.info(dbfrom))
    links = info.links if info else ()
    # The list of all databases is one more request: only where a name has to be looked up.
    listed = await at.answer("EInfo", at.catalogue.databases()) if db or info is None else [dbfrom]
    check_databases(dbfrom, [db] if db else [], listed, {link.name: link.dbto for link in links})
    return [link for link in links if db in (None, link.dbto)]
