"""Parquet parts: names as dictionaries, numbers as differences, zstd."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ROW_GROUP = 1 << 20
"""Rows; DuckDB and Polars read row groups in parallel, and bigger ones compress no better."""


class ParquetSink:
    """Writes Parquet.

    Args:
        codec: `zstd`, `gzip` or `none`.
    """

    suffix = ".parquet"

    def __init__(self, codec: str) -> None:
        self._codec = codec

    def write(self, table: pa.Table, stream: IO[bytes]) -> None:
        """The table as one Parquet file."""
        with pq.ParquetWriter(stream, table.schema, **self._options(table.schema)) as writer:
            writer.write_table(table.unify_dictionaries(), row_group_size=ROW_GROUP)

    def merge(self, parts: Iterable[IO[bytes]], stream: IO[bytes]) -> None:
        """The parts' rows in full row groups; a row group or so is in memory at a time."""
        writer: pq.ParquetWriter | None = None
        held: list[pa.Table] = []
        rows = 0

        def flush() -> None:
            nonlocal rows
            if writer is not None and held:
                table = pa.concat_tables(held).unify_dictionaries()
                writer.write_table(table, row_group_size=ROW_GROUP)
            held.clear()
            rows = 0

        try:
            for part in parts:
                file = pq.ParquetFile(part)
                schema = file.schema_arrow
                if writer is None:
                    writer = pq.ParquetWriter(stream, schema, **self._options(schema))
                for group in range(file.num_row_groups):
                    held.append(file.read_row_group(group))
                    rows += held[-1].num_rows
                    if rows >= ROW_GROUP:
                        flush()
            flush()
        finally:
            if writer is not None:
                writer.close()

    def read(self, part: IO[bytes], schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows of a part, a row group at a time."""
        file = pq.ParquetFile(part)
        for group in range(file.num_row_groups):
            yield file.read_row_group(group).cast(schema)

    def _options(self, schema: pa.Schema) -> dict[str, Any]:
        names = [field.name for field in schema if pa.types.is_dictionary(field.type)]
        numbers = [field.name for field in schema if pa.types.is_integer(field.type)]
        return {
            "compression": self._codec,
            "compression_level": 1 if self._codec == "zstd" else None,
            "use_dictionary": names,
            # By these DuckDB and Polars skip row groups; of the other columns they cost a sixth.
            "write_statistics": [name for name in schema.names if name.endswith("from_uid")],
            "column_encoding": dict.fromkeys(numbers, "DELTA_BINARY_PACKED"),
        }
