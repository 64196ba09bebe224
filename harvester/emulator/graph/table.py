"""Link graph read from a file: Parquet, CSV or TSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from harvester.emulator.graph.base import Family, Graph, Links

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Sequence

    from numpy.typing import NDArray

COLUMNS = ("dbfrom", "from_uid", "dbto", "linkname", "to_uid")
"""Required columns; `score` is optional. Links keep the order of the rows."""


class TableGraph(Graph):
    """Links of a table in their order; a repeated link counts once.

    Args:
        table: columns dbfrom, from_uid, dbto, linkname, to_uid and, optionally, score.
    """

    def __init__(self, table: pa.Table) -> None:
        missing = [name for name in COLUMNS if name not in table.column_names]
        if missing:
            raise ValueError(f"The table of links has no column {', '.join(missing)}.")
        self._lists = _lists(table)
        self._records: dict[str, list[int]] = {}
        self._record_sets: dict[str, frozenset[int]] = {}

    @classmethod
    def read(cls, path: str | Path) -> TableGraph:
        """Read a .parquet, .csv or .tsv file (the last two with a header line).

        Raises:
            ValueError: the suffix is unknown, or a column is missing.
            OSError: the file cannot be read.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending == ".parquet":
            return cls(pq.read_table(path))
        if ending not in {".csv", ".tsv"}:
            raise ValueError(f"{path}: unknown suffix. Links are read from .parquet, .csv or .tsv.")
        options = pacsv.ParseOptions(delimiter="\t" if ending == ".tsv" else ",")
        return cls(pacsv.read_csv(path, parse_options=options))

    def databases(self) -> Collection[str]:
        """Return every database that the table names."""
        return {db for family in self._lists for db in (family.dbfrom, family.dbto)}

    def families(self, dbfrom: str, dbs: Collection[str] | None = None) -> Sequence[Family]:
        """Return the families from `dbfrom` to `dbs`, in the order of the table."""
        return [f for f in self._lists if f.dbfrom == dbfrom and (dbs is None or f.dbto in dbs)]

    def batch(self, family: Family, uids: NDArray[np.uint64]) -> Links:
        """Return the links of many UIDs in one family, in the order of the table."""
        lists = self._lists[family]
        if not len(lists.from_uids):
            return Links(np.zeros(len(uids), np.int64), np.zeros(0, np.int64))
        place = np.searchsorted(lists.from_uids, uids).clip(max=len(lists.from_uids) - 1)
        known = lists.from_uids[place] == uids
        first = lists.offsets[place]
        counts = np.where(known, lists.offsets[place + 1] - first, 0)
        # Row numbers of all lists: the start of each list, repeated, plus 0, 1, 2, ...
        ends = np.cumsum(counts)
        rows = np.repeat(first - (ends - counts), counts) + np.arange(counts.sum())
        scores = None if lists.scores is None else lists.scores[rows]
        return Links(counts, lists.to_uids[rows], scores)

    def records(self, db: str) -> Sequence[int]:
        """Return the UIDs of a database that the table names, descending."""
        if db not in self._records:
            columns = [np.zeros(0, np.int64)]
            for family, lists in self._lists.items():
                if family.dbfrom == db:
                    columns.append(lists.from_uids.astype(np.int64))
                if family.dbto == db:
                    columns.append(lists.to_uids)
            self._records[db] = np.unique(np.concatenate(columns))[::-1].tolist()
        return self._records[db]

    def record_set(self, db: str) -> Container[int]:
        """Return the UIDs of a database as a set."""
        if db not in self._record_sets:
            self._record_sets[db] = frozenset(self.records(db))
        return self._record_sets[db]


class _Lists:
    """Links of one family: `to_uids[offsets[i]:offsets[i + 1]]` belong to from_uids[i]."""

    def __init__(self, table: pa.Table) -> None:
        from_uids, to_uids = _integers(table, "from_uid"), _integers(table, "to_uid")
        scored = "score" in table.column_names and table["score"].null_count < len(table)
        scores = _integers(table, "score") if scored else None
        # Sort by source, then target, keep the first row of equal pairs, restore the file order.
        by_pair = np.lexsort((to_uids, from_uids))
        repeated = (np.diff(from_uids[by_pair]) == 0) & (np.diff(to_uids[by_pair]) == 0)
        rows = np.sort(by_pair[np.concatenate(([True], ~repeated))])
        rows = rows[np.argsort(from_uids[rows], kind="stable")]
        self.from_uids, counts = np.unique(from_uids[rows].astype(np.uint64), return_counts=True)
        self.offsets: NDArray[np.int64] = np.concatenate(([0], np.cumsum(counts)))
        self.to_uids = to_uids[rows]
        self.scores = None if scores is None else scores[rows]


def _lists(table: pa.Table) -> dict[Family, _Lists]:
    """Split the table into families, in the order of their first rows."""
    names = table.select(["dbfrom", "dbto", "linkname"])
    names = pa.table([column.cast(pa.string()) for column in names.columns], names.column_names)
    kinds = names.group_by(names.column_names, use_threads=False).aggregate([])
    lists: dict[Family, _Lists] = {}
    for dbfrom, dbto, linkname in (tuple(row.values()) for row in kinds.to_pylist()):
        here = pc.and_(
            pc.and_(pc.equal(names["dbfrom"], dbfrom), pc.equal(names["dbto"], dbto)),
            pc.equal(names["linkname"], linkname),
        )
        lists[Family(dbfrom, dbto, linkname)] = _Lists(table.filter(here))
    return lists


def _integers(table: pa.Table, name: str) -> NDArray[np.int64]:
    column: Any = table[name].cast(pa.int64())
    if name == "score":
        column = pc.fill_null(column, 0)
    values: NDArray[np.int64] = column.to_numpy()
    return values
