"""Rows of answers, run-length encoded: values shared by all rows of a list are stored once.

A table repeats dbfrom, from_uid, dbto and linkname in every row, which takes five times the bytes
of the UID linked to. Rows therefore stay encoded until those of many answers are committed
together.
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
"""Rows per table that `to_tables` yields. They fit the processor's caches."""

RANK = "rank"
"""Name of the column that holds the place of a row in its list, from 0."""


@dataclass(frozen=True, slots=True)
class RunLengthRows:
    """Rows of one schema, grouped into lists.

    Attributes:
        schema: schema of the table that the rows make.
        per_list: one row per list, with the columns that all rows of a list share.
        per_row: one row per row, with the other columns. Columns of the schema that are in neither
            table are null. If the schema has `rank` and this table does not, the lists are whole,
            and the rank of a row is its place in its list.
        lengths: int64, rows per list.

    Example:
        Two lists, of 3 links and of 1 link:

            per_list             lengths   per_row
            from_uid  linkname             to_uid
            11        pubmed_pmc    3      101, 102, 103
            12        pubmed_pmc    1      104
    """

    schema: pa.Schema
    per_list: pa.Table
    per_row: pa.Table
    lengths: NDArray[np.int64]

    @classmethod
    def from_table(cls, table: pa.Table) -> RunLengthRows:
        """Return the rows of a table, each as a list of its own."""
        return cls(table.schema, table.select([]), table, np.ones(table.num_rows, np.int64))

    @classmethod
    def concat(cls, parts: Sequence[RunLengthRows]) -> RunLengthRows:
        """Return the rows of one or more parts of the same schema, in their order."""
        if any(RANK in part.per_row.column_names for part in parts):
            parts = [part.with_rank() for part in parts]
        return cls(
            parts[0].schema,
            pa.concat_tables([part.per_list for part in parts]).unify_dictionaries(),
            pa.concat_tables([part.per_row for part in parts], promote_options="default"),
            np.concatenate([part.lengths for part in parts]),
        )

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.per_row.num_rows)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, without `per_list`, which is small."""
        return int(self.per_row.nbytes + self.lengths.nbytes)

    def filter_lists(self, keep: NDArray[np.bool_]) -> RunLengthRows:
        """Return the lists whose entry in `keep` is true."""
        if keep.all():
            return self
        return replace(
            self,
            per_list=self.per_list.filter(pa.array(keep)),
            per_row=self.per_row.filter(pa.array(np.repeat(keep, self.lengths))),
            lengths=self.lengths[keep],
        )

    def filter_rows(self, keep: NDArray[np.bool_]) -> RunLengthRows:
        """Return the rows whose entry in `keep` is true; they keep their ranks."""
        ranked = self.with_rank()
        list_of = np.repeat(np.arange(len(self.lengths)), self.lengths)[keep]
        lengths = np.bincount(list_of, minlength=len(self.lengths)).astype(np.int64)
        return replace(ranked, lengths=lengths, per_row=ranked.per_row.filter(pa.array(keep)))

    def with_rank(self) -> RunLengthRows:
        """Return the same rows with `rank` as a column of `per_row`, if the schema has it."""
        if RANK not in self.schema.names or RANK in self.per_row.column_names:
            return self
        starts = (np.cumsum(self.lengths) - self.lengths).astype(np.int32)
        rank = np.arange(len(self), dtype=np.int32)
        rank -= np.repeat(starts, self.lengths)
        per_row = self.per_row.append_column(self.schema.field(RANK), pa.array(rank))
        return replace(self, per_row=per_row)

    def with_value(self, field: pa.Field, value: int) -> RunLengthRows:
        """Return the same rows with a further column that has one value in all rows."""
        column = pa.array(np.full(len(self.lengths), value), field.type)
        return replace(
            self,
            schema=self.schema.append(field),
            per_list=self.per_list.append_column(field, column),
        )

    def to_tables(self, size: int = PIECE) -> Iterator[pa.Table]:
        """Yield the rows as tables of at most `size` rows, or of one list that is longer."""
        ends = np.cumsum(self.lengths)
        first = row = 0
        while first < len(ends):
            last = max(int(np.searchsorted(ends, row + size, side="right")), first + 1)
            count = int(ends[last - 1]) - row
            yield replace(
                self,
                per_list=self.per_list.slice(first, last - first),
                per_row=self.per_row.slice(row, count),
                lengths=self.lengths[first:last],
            ).to_table()
            first, row = last, row + count

    def to_table(self) -> pa.Table:
        """Return all rows with all columns of the schema."""
        per_row, per_list = self.with_rank().per_row, self.per_list
        columns = [
            per_row[field.name]
            if field.name in per_row.column_names
            else _repeat(per_list[field.name], self.lengths)
            if field.name in per_list.column_names
            else nulls(len(self), field.type)
            for field in self.schema
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)


def _repeat(column: pa.ChunkedArray, lengths: NDArray[np.int64]) -> pa.Array:
    """Return each value as often as the entry in `lengths` says."""
    values = column.combine_chunks()
    if pa.types.is_dictionary(values.type):
        codes = values.indices.to_numpy()
        if len(codes) and (codes == codes[0]).all():
            return constant(values.dictionary[codes[0]].as_py(), int(lengths.sum()))
        codes = pa.array(np.repeat(codes, lengths))
        return pa.DictionaryArray.from_arrays(codes, values.dictionary, safe=False)
    if pa.types.is_integer(values.type):
        return pa.array(np.repeat(values.to_numpy(), lengths))
    return values.take(pa.array(np.repeat(np.arange(len(values)), lengths)))
