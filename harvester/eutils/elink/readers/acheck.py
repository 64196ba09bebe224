"""cmd=acheck: the linknames of each id.

Shapes: recorded XML of 2008 to 2025 and NCBI's sample of JSON. `Url` is a template with `<@UID@>`
if the link is an address only; LinkOut is the linkname ExternalLink of a database LinkOut.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from harvester.eutils.elink.document import (
    child,
    error_in,
    objects,
    text,
    texts,
)  # fmt: skip
from harvester.eutils.elink.entries import Entry, readers, unlisted
from harvester.eutils.parsing import Unreadable
from harvester.model.row_schemas import ACHECK_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.eutils.elink.document import Object

_NUMBER = re.compile(r"-?[0-9]{1,9}")


def _entries(linksets: list[Object]) -> Iterator[Entry]:
    for linkset in linksets:
        checked = child(linkset, "idchecklist")
        error = error_in(linkset) or error_in(checked)
        sets = objects(checked, "idlinksets")
        for one in sets:
            uid = text(one, "id")
            infos = objects(one, "linkinfos")
            own = error or error_in(one) or next(filter(None, map(error_in, infos)), None)
            yield Entry([] if uid is None else [uid], own, [_row(info) for info in infos])
        if not sets:
            yield unlisted(texts(linkset, "ids"), error, "its IdCheckList")


def _row(info: Object) -> dict[str, Any]:
    dbto, linkname = text(info, "dbto"), text(info, "linkname")
    if not (dbto and linkname):
        raise Unreadable("an ELink answer with links without a name")
    priority = text(info, "priority") or None
    if priority and not _NUMBER.fullmatch(priority):
        raise Unreadable("an ELink answer with a priority that is not a number")
    return {
        "dbto": dbto,
        "linkname": linkname,
        "menutag": text(info, "menutag"),
        "htmltag": text(info, "htmltag"),
        "url": text(info, "url"),
        "priority": int(priority) if priority else None,
    }


read_json, read_xml = readers(ACHECK_COLUMNS, _entries)
