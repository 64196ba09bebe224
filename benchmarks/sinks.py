"""A table to the bytes of a part, per form and compression.

Measures encoding into memory. Does not measure the disk. The floor is copying the table's own
buffers.
"""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
import pyarrow as pa

from benchmarks.measure import cpu_seconds, report
from harvester.schemas import NEIGHBOR_LINKS
from harvester.sinks import make_sink

ROWS, LINKS = 300_000, 150

FORMS: list[tuple[Literal["parquet", "jsonl"], Literal["zstd", "gzip", "none"]]] = [
    ("parquet", "zstd"),
    ("parquet", "none"),
    ("jsonl", "none"),
    ("jsonl", "zstd"),
    ("jsonl", "gzip"),
]


class _Memory(io.BytesIO):
    """Keeps its bytes when the writer closes it."""

    def close(self) -> None:
        pass


def main() -> None:
    table = _table()
    floor = cpu_seconds(lambda: table.take(pa.array(np.arange(ROWS))))
    report("copying the table, a row", floor, ROWS)
    for form, codec in FORMS:
        sink = make_sink(form, codec)

        def write(sink: object = sink) -> int:
            out = _Memory()
            sink.write(table, out)  # type: ignore[attr-defined]
            return len(out.getvalue())

        size = write()
        assert size > ROWS
        taken = cpu_seconds(write, repeats=3)
        report(f"{form}, {codec}, {size / ROWS:.1f} bytes a row", taken, ROWS, floor)


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


if __name__ == "__main__":
    main()
