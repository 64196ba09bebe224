"""Parquet parts: names as dictionaries, numbers as differences, zstd."""

from __future__ import annotations

import io
import itertools
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from harvester.store.sinks.parquet_footer import Footer, Joined, is_whole, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROW_GROUP = 1 << 17
"""Rows; DuckDB and Polars read row groups in parallel, and write them about as large. Larger ones
compress no better, and do not fit the processor's caches while they are encoded."""

COPIED = ROW_GROUP // 8
"""Rows of a row group that is large enough to be kept when parts are merged."""

_BATCH = 1 << 16  # rows encoded at a time


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
        """The tables as one Parquet file, with row groups of their own each."""
        tables = iter(tables)
        first = next(tables)
        with pq.ParquetWriter(stream, first.schema, **self._options(first.schema)) as writer:
            for table in itertools.chain([first], tables):
                writer.write_table(table.unify_dictionaries(), row_group_size=ROW_GROUP)

    def merge(self, parts: Iterable[IO[bytes]], stream: IO[bytes]) -> None:
        """The parts' rows in one file; a row group or so is in memory at a time.

        Large row groups are copied as they are; small ones are written anew, together.
        """
        joined = Joined(stream)
        schema: pa.Schema | None = None
        held: list[pa.Table] = []

        def flush() -> None:
            if held:
                small = io.BytesIO()
                self.write([pa.concat_tables(held)], small)
                footer = Footer(small)
                for group in footer.row_groups:
                    joined.copy(small, footer, group)
                held.clear()

        first: Footer | None = None
        for part in parts:
            file, footer = pq.ParquetFile(part), Footer(part)
            first, schema = first or footer, schema or file.schema_arrow
            for number, group in enumerate(footer.row_groups):
                same = footer.schema == first.schema and is_whole(group)
                if same and rows_of(group) >= COPIED:
                    flush()
                    joined.copy(part, footer, group)
                    continue
                held.append(file.read_row_group(number, use_threads=False).cast(schema))
                if sum(map(len, held)) >= ROW_GROUP:
                    flush()
        flush()
        joined.close()

    def read(self, part: IO[bytes], schema: pa.Schema) -> Iterator[pa.Table]:
        """Yield the rows of a part by row group; columns that the schema lacks are not read."""
        file = pq.ParquetFile(part)
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
            # By these DuckDB and Polars skip row groups; of the other columns they cost a sixth.
            "write_statistics": [name for name in schema.names if name.endswith("from_uid")],
            # Ranks go through zstd as well as they are.
            "column_encoding": dict.fromkeys(numbers, "DELTA_BINARY_PACKED")
            | ({"rank": "PLAIN"} if "rank" in schema.names else {}),
            # One page a column: smaller ones cost a tenth more to write, and twice to read.
            "max_rows_per_page": ROW_GROUP,
            "write_batch_size": _BATCH,
        }
