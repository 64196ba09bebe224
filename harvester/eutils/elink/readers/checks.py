"""cmd=ncheck and lcheck: whether each id has links within its database, or LinkOut addresses.

Shapes: recorded XML of 2008 to 2025 and NCBI's sample of JSON; the marks are Y and N.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.eutils.elink.document import (
    child,
    error_in,
    text,
    texts,
)  # fmt: skip
from harvester.eutils.elink.entries import Entries, Entry, readers, unlisted
from harvester.eutils.parsing import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.eutils.elink.document import Object

_MARKS = {"Y": True, "N": False}


@dataclass(frozen=True, slots=True)
class Check:
    """Reader of ncheck or lcheck.

    Args:
        column: bool column of its table.
        mark: name of an id's mark in JSON.
    """

    column: str
    mark: str

    @property
    def schema(self) -> pa.Schema:
        """Schema of its rows."""
        return pa.schema([pa.field(self.column, pa.bool_())])

    def read_json(self, body: bytes) -> Entries:
        """Return the marks in a JSON answer, one entry and row per id.

        Raises:
            Unreadable: not JSON, or not of ELink's shape.
        """
        return readers(self.schema, self._entries)[0](body)

    def read_xml(self, body: bytes) -> Entries:
        """Return the marks in an XML answer, one entry and row per id.

        Raises:
            Unreadable: not well-formed, or not of ELink's shape.
        """
        return readers(self.schema, self._entries)[1](body)

    def _entries(self, linksets: list[Object]) -> Iterator[Entry]:
        for linkset in linksets:
            checked = child(linkset, "idchecklist")
            error = error_in(linkset) or error_in(checked)
            ids = checked.get("ids") or []
            if not isinstance(ids, list):
                raise Unreadable("an ELink answer whose ids are not a list")
            for one in ids:
                yield self._entry(one, error)
            if not ids:
                yield unlisted(texts(linkset, "ids"), error, "its IdCheckList")

    def _entry(self, one: object, error: str | None) -> Entry:
        marked = one if isinstance(one, dict) else {"value": one}
        uid, mark = text(marked, "value"), text(marked, self.mark)
        ids = [] if uid is None else [uid]
        if mark is None:
            return Entry(ids, error or f"an id without {self.mark}")
        if mark not in _MARKS:
            raise Unreadable(f"an ELink answer whose {self.mark} is neither Y nor N")
        return Entry(ids, error, [{self.column: _MARKS[mark]}])


NCHECK = Check("has_neighbor", "hasneighbor")
LCHECK = Check("has_linkout", "haslinkout")
