"""The distinct targets of a run: each row once, however many batches return it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.model import lazy_compute as pc
from harvester.model import uids

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from numpy.typing import NDArray


class Targets:
    """The targets seen so far, by database and linkname.

    Args:
        before: tables of earlier runs.
    """

    def __init__(self, before: Iterable[pa.Table] = ()) -> None:
        self._seen: dict[tuple[str, str], Any] = {}
        for table in before:
            self.unseen(table)

    def unseen(self, table: pa.Table) -> pa.Table:
        """Return the rows that are new, each once, and remember them."""
        pieces = []
        for dbto, linkname in {
            *zip(*(table[n].to_pylist() for n in ("dbto", "linkname")), strict=True)
        }:
            mine = pc.and_(pc.equal(table["dbto"], dbto), pc.equal(table["linkname"], linkname))
            rows = table.filter(mine)
            pieces.append(rows.filter(pa.array(self._are_new((dbto, linkname), rows["to_uid"]))))
        return pa.concat_tables(pieces) if pieces else table

    def _are_new(self, family: tuple[str, str], to_uid: pa.ChunkedArray) -> NDArray[np.bool_]:
        if pa.types.is_string(to_uid.type):
            seen = self._seen.setdefault(family, set())
            return np.array([not (t in seen or seen.add(t)) for t in to_uid.to_pylist()], bool)
        values = to_uid.to_numpy()
        found = uids.as_set(np.sort(values))
        new = found - self._seen.get(family, uids.as_set())
        self._seen[family] = self._seen.get(family, uids.as_set()) | new
        _, firsts = np.unique(values, return_index=True)
        first = np.zeros(len(values), bool)
        first[firsts] = True
        return first & np.isin(values, uids.as_array(new))
