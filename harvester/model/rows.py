"""Rows of answers as lists: what all rows of a list have in common is kept once.

A table repeats dbfrom, from_uid, dbto and linkname in every row, at five times the bytes of the
UID linked to. So rows stay lists until those of many answers are committed together.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.model.schemas import constant, nulls

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

PIECE = 1 << 17
"""Rows of a table made at a time: it fits the processor's caches."""

RANK = "rank"
"""The column that says the place of a row in its list."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one schema.

    Attributes:
        schema: of the table they are.
        shared: a row for each list, of the columns that all its rows have in common.
        counts: rows of each list.
        own: a row for each row, of the other columns. Those of the schema that are in neither
            are null. Without `rank`, where the schema has it, the lists are whole, and a row's
            rank is its place in them.
    """

    schema: pa.Schema
    shared: pa.Table
    counts: NDArray[np.int64]
    own: pa.Table

    @classmethod
    def of(cls, table: pa.Table) -> Rows:
        """The rows of a table, each a list of its own."""
        return cls(table.schema, table.select([]), np.ones(table.num_rows, np.int64), table)

    @classmethod
    def together(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of several, one at least, of the same schema."""
        if any(RANK in one.own.column_names for one in parts):
            parts = [one.ranked() for one in parts]
        own = pa.concat_tables([one.own for one in parts], promote_options="default")
        return cls(
            parts[0].schema,
            pa.concat_tables([one.shared for one in parts]).unify_dictionaries(),
            np.concatenate([one.counts for one in parts]),
            own,
        )

    def __len__(self) -> int:
        """How many rows."""
        return int(self.own.num_rows)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, nearly: what rows have in common is little."""
        return int(self.own.nbytes + self.counts.nbytes)

    def lists(self, keep: NDArray[np.bool_]) -> Rows:
        """Some of the lists."""
        if keep.all():
            return self
        rows = self.own.filter(pa.array(np.repeat(keep, self.counts)))
        return replace(
            self, shared=self.shared.filter(pa.array(keep)), counts=self.counts[keep], own=rows
        )

    def rows(self, keep: NDArray[np.bool_]) -> Rows:
        """Some of the rows, each with the rank it had."""
        whole = self.ranked()
        lists = np.repeat(np.arange(len(self.counts)), self.counts)[keep]
        counts = np.bincount(lists, minlength=len(self.counts)).astype(np.int64)
        return replace(whole, counts=counts, own=whole.own.filter(pa.array(keep)))

    def ranked(self) -> Rows:
        """The same with ranks as a column of its own, where the schema has one."""
        if RANK not in self.schema.names or RANK in self.own.column_names:
            return self
        starts = (np.cumsum(self.counts) - self.counts).astype(np.int32)
        rank = np.arange(len(self), dtype=np.int32)
        rank -= np.repeat(starts, self.counts)
        own = self.own.append_column(self.schema.field(RANK), pa.array(rank))
        return replace(self, own=own)

    def tables(self, size: int = PIECE) -> Iterator[pa.Table]:
        """The rows as tables of about so many: what is done with each is done in little memory."""
        ends = np.cumsum(self.counts)
        first = row = 0
        while first < len(ends):
            last = max(int(np.searchsorted(ends, row + size, side="right")), first + 1)
            count = int(ends[last - 1]) - row
            yield replace(
                self,
                shared=self.shared.slice(first, last - first),
                counts=self.counts[first:last],
                own=self.own.slice(row, count),
            ).table()
            first, row = last, row + count

    def table(self) -> pa.Table:
        """All rows, with all columns."""
        own, shared = self.ranked().own, self.shared
        columns = [
            own[field.name]
            if field.name in own.column_names
            else _repeated(shared[field.name], self.counts)
            if field.name in shared.column_names
            else nulls(len(self), field.type)
            for field in self.schema
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)


def _repeated(column: pa.ChunkedArray, counts: NDArray[np.int64]) -> pa.Array:
    """Each value so many times."""
    values = column.combine_chunks()
    if pa.types.is_dictionary(values.type):
        codes = values.indices.to_numpy()
        if len(codes) and (codes == codes[0]).all():
            return constant(values.dictionary[codes[0]].as_py(), int(counts.sum()))
        codes = pa.array(np.repeat(codes, counts))
        return pa.DictionaryArray.from_arrays(codes, values.dictionary, safe=False)
    if pa.types.is_integer(values.type):
        return pa.array(np.repeat(values.to_numpy(), counts))
    return values.take(pa.array(np.repeat(np.arange(len(values)), counts)))
