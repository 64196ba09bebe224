"""Output formats: from tables to the bytes of one part and back.

A new format is one module here and one row in `FORMATS`. A sink knows no paths and never syncs:
`harvester.store.parts` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import pyarrow as pa

Codec: TypeAlias = Literal["zstd", "gzip", "none"]


class Sink(Protocol):
    """Writes and reads tables of any schema of `harvester.model`."""

    suffix: str
    """Suffix of its files, for example `.parquet`."""

    def write(self, tables: Iterable[pa.Table], stream: IO[bytes]) -> None:
        """Write the rows of one or more tables as one whole part."""

    def merge(self, parts: Iterable[IO[bytes]], stream: IO[bytes]) -> None:
        """Write the rows of several parts, in their order, as one whole part in bounded memory."""

    def read(self, part: IO[bytes], schema: pa.Schema) -> Iterator[pa.Table]:
        """Yield the rows of a part, in tables that fit in memory.

        Raises:
            pyarrow.ArrowException: it is not a whole part.
        """


@dataclass(frozen=True, slots=True)
class Format:
    """One format of the output.

    Attributes:
        suffixes: codec → suffix of the files.
        factory: makes the sink of a codec and its suffix.
    """

    suffixes: Mapping[Codec, str]
    factory: Callable[[Codec, str], Sink]


# Each factory imports its module when it is first used: a harvest needs only one of them.


def _parquet(codec: Codec, suffix: str) -> Sink:
    from harvester.store.sinks.parquet import ParquetSink  # noqa: PLC0415

    return ParquetSink(codec, suffix)


def _jsonl(codec: Codec, suffix: str) -> Sink:
    from harvester.store.sinks.jsonl import JsonlSink  # noqa: PLC0415

    return JsonlSink(codec, suffix)


FORMATS: Mapping[str, Format] = {
    "parquet": Format({"zstd": ".parquet", "gzip": ".parquet", "none": ".parquet"}, _parquet),
    "jsonl": Format({"zstd": ".jsonl.zst", "gzip": ".jsonl.gz", "none": ".jsonl"}, _jsonl),
}
"""`output.format` → suffixes and factory."""


def make_sink(form: Literal["parquet", "jsonl"], codec: Codec) -> Sink:
    """Return the sink of a job's `output.format` and `output.compression`."""
    found = FORMATS[form]
    return found.factory(codec, found.suffixes[codec])


def sink_of(name: str) -> Sink:
    """Return the sink that reads a file, by the suffix of its name.

    Raises:
        ValueError: no format has this suffix.
    """
    for form in FORMATS.values():
        for codec, suffix in form.suffixes.items():
            if name.endswith(suffix):
                return form.factory(codec, suffix)
    raise ValueError(f"{name} has the suffix of no output format")
