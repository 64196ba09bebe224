"""cmd=neighbor_history: sets of linked records on the History server, one per linkname.

Shapes: recorded JSON of 2023 to 2026 and XML of 2008 to 2015. The sets of a LinkSet belong to all
its ids together; an answer has one WebEnv, and equal sets share a query key.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from harvester.eutils.elink.document import (
    error_in,
    objects,
    text,
    texts,
)  # fmt: skip
from harvester.eutils.elink.entries import Entry, readers
from harvester.eutils.parsing import Unreadable
from harvester.model.row_schemas import HISTORY_COLUMNS

if TYPE_CHECKING:
    from harvester.eutils.elink.document import Object


def _entry(linkset: Object) -> Entry:
    """Return the entry of a LinkSet. Empty sets have an Info, or no LinkSetDbHistory."""
    histories = objects(linkset, "linksetdbhistories")
    within = [linkset, *histories, *objects(linkset, "linksetdbs")]
    entry = Entry(texts(linkset, "ids"), next(filter(None, map(error_in, within)), None))
    webenv = text(linkset, "webenv") or None
    kept = [one for one in histories if text(one, "querykey")]
    if kept and webenv is None:
        entry.error = entry.error or "a query_key without its WebEnv"
    else:
        entry.rows = [_row(one, webenv) for one in kept]
    return entry


def _row(history: Object, webenv: str | None) -> dict[str, Any]:
    dbto, linkname = text(history, "dbto"), text(history, "linkname")
    if not (dbto and linkname):
        raise Unreadable("an ELink answer with links without a name")
    key = text(history, "querykey")
    return {"dbto": dbto, "linkname": linkname, "webenv": webenv, "query_key": key}


read_json, read_xml = readers(HISTORY_COLUMNS, partial(map, _entry))
