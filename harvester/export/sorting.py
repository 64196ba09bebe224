"""Sort rows that do not fit in memory.

Runs of rows are sorted in memory and put into one temporary file. Then the heads of all runs are
merged: rows up to the lowest last key of the heads are complete, so they are sorted and yielded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import ipc

from harvester.model import lazy_compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

RUN = 1 << 19
"""Number of rows sorted in memory at a time; about 45 MB of links, with the copy."""

HEADS = 1 << 20
"""Number of rows of all heads together, about 45 MB of links."""

_LEAST, _MOST = 1 << 8, 1 << 16
"""Bounds of the rows per head."""


def sort_rows(
    tables: Iterable[pa.Table], key: str, scratch: Path, expected: int
) -> Iterator[pa.Table]:
    """Yield rows in ascending order of a column.

    Rows of equal keys that were together stay in their order within one run of `RUN` rows.

    Args:
        tables: the rows; all tables have one schema. Columns of names may be dictionaries.
        key: column of integers or strings, without nulls.
        scratch: folder for a temporary file.
        expected: about how many rows there are.
    """
    codes = _Codes()
    path = scratch / f"sorted-by-{key}.arrow"
    size = min(max(HEADS * RUN // max(expected, RUN), _LEAST), _MOST)
    runs: list[range] = []
    writer: ipc.RecordBatchFileWriter | None = None
    options = ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    written = 0
    with pa.OSFile(str(path), "wb") as sink:
        for run in _runs(codes.coded(table) for table in tables):
            if writer is None:
                writer = ipc.new_file(sink, run.schema, options=options)
            batches = _sorted(run, key).combine_chunks().to_batches(max_chunksize=size)
            for batch in batches:
                writer.write_batch(batch)
            runs.append(range(written, written + len(batches)))
            written += len(batches)
            del run, batches
        if writer is not None:
            writer.close()
    if writer is None:
        return
    with pa.OSFile(str(path), "rb") as source:
        file = ipc.open_file(source)
        heads = [_Head(file, run) for run in runs]
        for table in _merged(heads, key):
            yield codes.decoded(table)
    path.unlink()


def whole_groups(tables: Iterable[pa.Table], key: str) -> Iterator[pa.Table]:
    """Yield sorted rows in tables that hold all rows of each key."""
    held: list[pa.Table] = []
    for table in tables:
        last = table[key][-1]
        ended = pc.sum(pc.not_equal(table[key], last)).as_py() or 0
        if ended:
            yield pa.concat_tables([*held, table.slice(0, ended)])
            held = []
        held.append(table.slice(ended))
    if held:
        yield pa.concat_tables(held)


class _Codes:
    """Numbers for the names in columns of dictionaries, the same in all tables."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str | None, int]] = {}
        self._schema: pa.Schema | None = None

    def coded(self, table: pa.Table) -> pa.Table:
        """Return a table with a number for each name."""
        self._schema = self._schema or table.schema
        for place, one in enumerate(table.schema):
            if pa.types.is_dictionary(one.type):
                names = self._names.setdefault(one.name, {})
                chunks = [self._coded(chunk, names) for chunk in table.column(place).chunks]
                column = pa.chunked_array(chunks, pa.int32())
                table = table.set_column(place, one.name, column)
        return table

    def _coded(self, chunk: pa.DictionaryArray, names: dict[str | None, int]) -> pa.Array:
        codes = [names.setdefault(name, len(names)) for name in chunk.dictionary.to_pylist()]
        return pa.array(codes, pa.int32()).take(chunk.indices)

    def decoded(self, table: pa.Table) -> pa.Table:
        """Return a table with the names again."""
        assert self._schema is not None
        columns = []
        for one, column in zip(self._schema, table.columns, strict=True):
            if pa.types.is_dictionary(one.type):
                names = pa.array(list(self._names[one.name]), one.type.value_type)
                chunks = [pa.DictionaryArray.from_arrays(c, names) for c in column.chunks]
                columns.append(pa.chunked_array(chunks, one.type))
            else:
                columns.append(column)
        return pa.Table.from_arrays(columns, schema=self._schema)


def _runs(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield rows in tables of `RUN` rows; the last may be shorter."""
    held: list[pa.Table] = []
    rows = 0
    for table in tables:
        at = 0
        while at < table.num_rows:
            piece = table.slice(at, RUN - rows)
            held.append(piece)
            at, rows = at + piece.num_rows, rows + piece.num_rows
            if rows == RUN:
                run, held, rows = pa.concat_tables(held), [], 0
                yield run
                del run
    if held:
        yield pa.concat_tables(held)


def _sorted(table: pa.Table, key: str) -> pa.Table:
    return table.take(pc.sort_indices(table[key]))


@dataclass(slots=True)
class _Head:
    """The rows of a run that were read and not yet passed on."""

    file: ipc.RecordBatchFileReader
    left: range
    rows: pa.Table | None = field(default=None)

    def fill(self) -> bool:
        """Read more rows if there are none; return whether there are some."""
        if self.rows is None or not self.rows.num_rows:
            if not self.left:
                return False
            self.rows = pa.Table.from_batches([self.file.get_batch(self.left[0])])
            self.left = self.left[1:]
        return True

    def take(self, key: str, up_to: pa.Scalar) -> pa.Table:
        """Remove and return the rows whose key is not above a value."""
        assert self.rows is not None
        column = self.rows[key]
        count = pc.sum(pc.less_equal(column, up_to)).as_py() or 0
        taken, self.rows = self.rows.slice(0, count), self.rows.slice(count)
        return taken


def _merged(heads: list[_Head], key: str) -> Iterator[pa.Table]:
    while True:
        heads = [head for head in heads if head.fill()]
        if not heads:
            return
        lasts = [head.rows[key][-1] for head in heads if head.rows is not None]
        up_to = min(lasts, key=lambda value: value.as_py())
        yield _sorted(pa.concat_tables([head.take(key, up_to) for head in heads]), key)
