"""From a table to the bytes of a part, per format and compression.

Measures encoding into memory; not the disk. The floor is copying the table's own buffers.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa

from benchmarks.measure import Row, nanoseconds
from harvester.model.schemas import NEIGHBOR_LINKS
from harvester.store.sinks import make_sink

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.store.sinks import Sink

ROWS, LINKS = 300_000, 150

FORMS: list[tuple[Literal["parquet", "jsonl"], Literal["zstd", "gzip", "none"]]] = [
    ("parquet", "zstd"),
    ("parquet", "none"),
    ("jsonl", "none"),
    ("jsonl", "zstd"),
    ("jsonl", "gzip"),
]


class _Memory(io.BytesIO):
    """Buffer that keeps its bytes when the writer closes it."""

    def close(self) -> None:
        pass


def rows() -> Iterator[Row]:
    table = _table()
    floor = nanoseconds(lambda: table.take(pa.array(np.arange(ROWS))), ROWS)
    for form, codec in FORMS:
        sink = make_sink(form, codec)

        def write(sink: Sink = sink) -> int:
            out = _Memory()
            sink.write([table], out)
            return len(out.getvalue())

        size = write()
        assert size > ROWS
        taken = nanoseconds(write, ROWS, repeats=3)
        yield Row(f"{form}, {codec}, {size / ROWS:.1f} bytes per row", taken, "ns per row", floor)


def _table() -> pa.Table:
    rng = np.random.default_rng(0)

    def name(value: str) -> pa.Array:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(ROWS, np.int32)), [value])

    sources = np.repeat(np.arange(ROWS // LINKS) + 30_000_000, LINKS)
    columns = [
        name("pubmed"),
        pa.array(sources),
        name("pubmed"),
        name("pubmed_pubmed"),
        pa.array(rng.integers(1, 40_000_000, ROWS)),
        pa.nulls(ROWS, pa.int64()),
        pa.array(np.tile(np.arange(LINKS, dtype=np.int32), ROWS // LINKS)),
    ]
    return pa.Table.from_arrays(columns, schema=NEIGHBOR_LINKS)
