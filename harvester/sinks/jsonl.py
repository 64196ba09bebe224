"""JSONL parts: one object a line, written by column rather than by row.

Each column becomes an array of JSON fragments, and one join of fragments makes the lines: their
text lies end to end in the joined array's own buffer.
"""

from __future__ import annotations

import gzip
import shutil
from typing import IO, TYPE_CHECKING

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ROWS = 1 << 16  # rows joined at a time: the text of so many fits the processor's caches
_BLOCK = 4 << 20  # bytes parsed at a time
_SUFFIXES = {"none": "", "gzip": ".gz", "zstd": ".zst"}


class JsonlSink:
    """Writes JSON lines.

    Args:
        codec: `zstd`, `gzip` or `none`.
    """

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self.suffix = ".jsonl" + _SUFFIXES[codec]

    def write(self, table: pa.Table, stream: IO[bytes]) -> None:
        """The table as one file of JSON lines."""
        if self._codec == "gzip":
            with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=6, mtime=0) as out:
                _write_lines(table, out)
        elif self._codec == "zstd":
            with pa.CompressedOutputStream(stream, "zstd") as out:
                _write_lines(table, out)
        else:
            _write_lines(table, stream)

    def merge(self, parts: Iterable[IO[bytes]], stream: IO[bytes]) -> None:
        """The parts end to end, as gzip members (RFC 1952) and zstd frames (RFC 8878) may be."""
        for part in parts:
            shutil.copyfileobj(part, stream, 1 << 20)

    def read(self, part: IO[bytes], schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows of a part, a block of text at a time."""
        if not part.read(1):
            return
        part.seek(0)
        stream = part if self._codec == "none" else pa.CompressedInputStream(part, self._codec)
        plain = pa.schema([field.with_type(_plain(field.type)) for field in schema])
        reader = pj.open_json(
            stream,
            read_options=pj.ReadOptions(block_size=_BLOCK),
            parse_options=pj.ParseOptions(explicit_schema=plain),
        )
        for batch in reader:
            yield pa.Table.from_batches([batch]).cast(schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    """What JSON has in place of a dictionary."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _write_lines(table: pa.Table, stream: IO[bytes] | gzip.GzipFile) -> None:
    for batch in table.unify_dictionaries().to_batches(max_chunksize=_ROWS):
        if not batch.num_rows:
            continue
        lines = pc.binary_join_element_wise(*_pieces(batch), "")
        _, offsets, text = lines.buffers()
        first, last = (
            int.from_bytes(offsets[4 * at : 4 * at + 4].to_pybytes(), "little", signed=True)
            for at in (lines.offset, lines.offset + len(lines))
        )
        stream.write(memoryview(text)[first:last])


def _pieces(batch: pa.RecordBatch) -> list[pa.Array | str]:
    """What each line is joined of: few pieces, since each costs something for every row.

    The text between two columns goes along with the values of one that repeats.
    """
    pieces: list[pa.Array | str] = []
    text = "{"
    for place, (field, column) in enumerate(zip(batch.schema, batch.columns, strict=True)):
        text += f'{"," * bool(place)}"{field.name}":'
        if column.null_count == len(column):
            text += "null"
        elif pa.types.is_integer(column.type):
            pieces += [text, column.cast(pa.string()).fill_null("null")]
            text = ""
        elif pa.types.is_list(column.type):  # they do not repeat often enough to be numbered
            texts = [orjson.dumps(value).decode() for value in column.to_pylist()]
            pieces += [text, pa.array(texts, pa.string())]
            text = ""
        else:
            pieces.append(_repeated(column, text))
            text = ""
    return [*pieces, text + "}\n"]


def _repeated(column: pa.Array, before: str) -> pa.Array:
    """Each value as JSON text with some text before it, made once for equal values."""
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    values = [before + orjson.dumps(value).decode() for value in column.dictionary.to_pylist()]
    return pa.array(values, pa.string()).take(column.indices).fill_null(before + "null")
