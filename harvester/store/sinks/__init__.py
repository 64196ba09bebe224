"""Forms of the output: a table into the bytes of one part. A new form is one more module here.

A sink knows no paths and never syncs: that is the ledger's.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa


class Sink(Protocol):
    """Writes tables of any schema of `harvester.model.schemas`."""

    suffix: str
    """Of its files, for example `.parquet`."""

    def write(self, tables: Iterable[pa.Table], stream: IO[bytes]) -> None:
        """The rows of tables, one at least, as one whole part."""

    def merge(self, parts: Iterable[IO[bytes]], stream: IO[bytes]) -> None:
        """The rows of several parts, in their order, as one whole part, in bounded memory."""

    def read(self, part: IO[bytes], schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows of a part, in tables that fit the memory.

        Raises:
            pyarrow.ArrowException: it is not a whole part.
        """


def make_sink(form: Literal["parquet", "jsonl"], codec: Literal["zstd", "gzip", "none"]) -> Sink:
    """The sink of a job's `output.format` and `output.compression`."""
    if form == "parquet":
        from harvester.store.sinks.parquet import ParquetSink  # noqa: PLC0415 - only if asked for

        return ParquetSink(codec)
    from harvester.store.sinks.jsonl import JsonlSink  # noqa: PLC0415 - only if asked for

    return JsonlSink(codec)
