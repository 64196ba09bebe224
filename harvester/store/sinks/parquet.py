"""Parquet parts: names as dictionaries, numbers as differences, compressed pages."""

from __future__ import annotations

import io
import itertools
from functools import lru_cache
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from harvester.store.sinks.arrow_file import arrow_file
from harvester.store.sinks.parquet_footer import Footer, Joined, UnknownFooter, is_whole, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROW_GROUP = 1 << 17
"""Rows per row group. DuckDB and Polars read row groups in parallel and write groups of about this
size. Larger groups compress no better and do not fit the processor's caches during encoding."""

COPIED = ROW_GROUP // 8
"""Rows above which a row group is copied when parts are merged."""

_BATCH = 1 << 16
"""Rows encoded at a time."""


class ParquetSink:
    """Writes and reads Parquet.

    Args:
        codec: `zstd`, `gzip` or `none`.
        suffix: suffix of its files.
    """

    def __init__(self, codec: str, suffix: str = ".parquet") -> None:
        self._codec = codec
        self.suffix = suffix

    def write(self, tables: Iterable[pa.Table], stream: IO[bytes]) -> None:
        """Write the tables as one Parquet file, each as row groups of its own."""
        tables = iter(tables)
        first = next(tables)
        with pq.ParquetWriter(stream, first.schema, **self._options(first.schema)) as writer:
            for table in itertools.chain([first], tables):
                writer.write_table(table.unify_dictionaries(), row_group_size=ROW_GROUP)

    def merge(self, parts: Iterable[IO[bytes]], stream: IO[bytes]) -> None:
        """Write the rows of several parts as one file, with about one row group in memory."""
        if can_copy(self._codec):
            self._merge_by_copying(parts, stream)
        else:
            self.write(_regrouped(parts), stream)

    def _merge_by_copying(self, parts: Iterable[IO[bytes]], stream: IO[bytes]) -> None:
        """Copy large row groups; decode small ones and encode them together.

        Row groups that cannot be copied, because another writer made them, count as small.
        """
        joined = Joined(stream)
        schema: pa.Schema | None = None
        held: list[pa.Table] = []

        def append(tables: list[pa.Table]) -> None:
            small = io.BytesIO()
            self.write([pa.concat_tables(tables)], small)
            footer = Footer(small)
            for group in footer.row_groups:
                joined.copy(small, footer, group)
            tables.clear()

        first: Footer | None = None
        for part in parts:
            file, footer = open_parquet(part), _footer(part)
            first, schema = first or footer, schema or file.schema_arrow
            for number in range(file.num_row_groups):
                if footer is not None and first is not None and footer.schema == first.schema:
                    group = footer.row_groups[number]
                    if is_whole(group) and rows_of(group) >= COPIED:
                        if any(map(len, held)):
                            append(held)
                        joined.copy(part, footer, group)
                        continue
                held.append(file.read_row_group(number, use_threads=False).cast(schema))
                if full := _take_full_groups(held):
                    append(full)
        if any(map(len, held)) or not len(joined):  # of no rows, one empty row group
            append(held)
        joined.close()

    def read(self, part: IO[bytes], schema: pa.Schema) -> Iterator[pa.Table]:
        """Yield the rows of a part by row group; columns that the schema lacks are not read."""
        file = open_parquet(part)
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=schema.names)
            yield table.select(schema.names).cast(schema)

    def _options(self, schema: pa.Schema) -> dict[str, Any]:
        names = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        numbers = [field.name for field in schema if pa.types.is_integer(field.type)]
        return {
            "compression": self._codec,
            "compression_level": 1 if self._codec == "zstd" else None,
            "use_dictionary": names,
            # DuckDB and Polars skip row groups by these. For the other columns they would cost
            # 17 % of the time.
            "write_statistics": [name for name in schema.names if name.endswith("from_uid")],
            # zstd compresses plain ranks just as well.
            "column_encoding": dict.fromkeys(numbers, "DELTA_BINARY_PACKED")
            | ({"rank": "PLAIN"} if "rank" in schema.names else {}),
            # One page per column. Smaller pages take 10 % longer to write, and twice to read.
            "max_rows_per_page": ROW_GROUP,
            "write_batch_size": _BATCH,
            # A flipped bit is found when a page is read, which takes 5 % longer.
            "write_page_checksum": True,
        }


@lru_cache
def can_copy(codec: str) -> bool:
    """Return whether row groups that the installed pyarrow writes can be copied to another file.

    Two small files are written, joined by copying, and read again.
    """
    table = pa.table(
        {
            "name": pa.array(["a", "b", "a"]).dictionary_encode(),
            "from_uid": pa.array([1, 2, 2**62]),
            "rank": pa.array([0, None, 2], pa.int32()),
            "flag": pa.array([True, None, False]),
            "texts": pa.array([["x"], [], None], pa.list_(pa.string())),
        }
    )
    tables = [table, table.take([2, 1, 0, 0])]
    joined = io.BytesIO()
    try:
        join = Joined(joined)
        for one in tables:
            file = io.BytesIO()
            ParquetSink(codec).write([one], file)
            footer = Footer(file)
            for group in footer.row_groups:
                join.copy(file, footer, group)
        join.close()
        return bool(pq.ParquetFile(joined).read().equals(pa.concat_tables(tables)))
    except (UnknownFooter, pa.ArrowException, OSError):
        return False


def _footer(part: IO[bytes]) -> Footer | None:
    """Return the footer of a part, or None if its row groups cannot be copied."""
    try:
        return Footer(part)
    except UnknownFooter:
        return None


def _regrouped(parts: Iterable[IO[bytes]]) -> Iterator[pa.Table]:
    """Yield the rows of parts as tables of about `ROW_GROUP` rows, in their order."""
    schema: pa.Schema | None = None
    held: list[pa.Table] = []
    for part in parts:
        file = open_parquet(part)
        schema = schema or file.schema_arrow
        for number in range(file.num_row_groups):
            held.append(file.read_row_group(number, use_threads=False).cast(schema))
            yield from _take_full_groups(held)
    if held:
        yield pa.concat_tables(held)


def _take_full_groups(held: list[pa.Table]) -> list[pa.Table]:
    """Remove the rows of full row groups from some tables, and return them as one table or none."""
    rows = sum(map(len, held))
    full = rows - rows % ROW_GROUP
    if not full:
        return []
    table = pa.concat_tables(held)
    held[:] = [table.slice(full)] if full < rows else []
    return [table.slice(0, full)]


def open_parquet(part: IO[bytes]) -> pq.ParquetFile:
    """Open a part; each page is compared with its checksum as it is read."""
    return pq.ParquetFile(arrow_file(part), page_checksum_verification=True)
