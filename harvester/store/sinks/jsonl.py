"""JSONL parts: one object per line, written by column rather than by row.

Columns become arrays of JSON text. One element-wise join makes the lines, which are contiguous in
the buffer of the joined array.
"""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.json as pj

from harvester.model import lazy_compute as pc
from harvester.store.sinks.arrow_file import arrow_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

_ROWS = 1 << 16
"""Number of rows joined at a time. Their text fits the processor's caches."""

_BLOCK = 4 << 20
"""Number of bytes parsed at a time."""


class JsonlSink:
    """Writes and reads JSON lines.

    Args:
        codec: `zstd`, `gzip` or `none`.
        suffix: suffix of its files.
    """

    def __init__(self, codec: str, suffix: str = ".jsonl") -> None:
        self._codec = codec
        self.suffix = suffix

    def write(self, tables: Iterable[pa.Table], stream: IO[bytes]) -> None:
        """Write the tables as one file of JSON lines."""
        if self._codec == "gzip":
            with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=6, mtime=0) as out:
                _write_lines(tables, out)
        elif self._codec == "zstd":
            with pa.CompressedOutputStream(stream, "zstd") as out:
                _write_lines(tables, out)
        else:
            _write_lines(tables, stream)

    def merge(self, parts: Iterable[IO[bytes]], stream: IO[bytes]) -> None:
        """Concatenate the parts; gzip members (RFC 1952) and zstd frames (RFC 8878) permit it."""
        for part in parts:
            shutil.copyfileobj(part, stream, 1 << 20)

    def read(self, part: IO[bytes], schema: pa.Schema) -> Iterator[pa.Table]:
        """Yield the rows of a part by block of text, with the columns of the schema alone."""
        if not part.read(1):
            return
        part.seek(0)
        file = arrow_file(part)
        stream = file if self._codec == "none" else pa.CompressedInputStream(file, self._codec)
        plain = pa.schema([field.with_type(_plain(field.type)) for field in schema])
        reader = pj.open_json(
            stream,
            read_options=pj.ReadOptions(block_size=_BLOCK),
            parse_options=pj.ParseOptions(
                explicit_schema=plain, unexpected_field_behavior="ignore"
            ),
        )
        for batch in reader:
            yield pa.Table.from_batches([batch]).cast(schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type of a dictionary's values, or the type itself."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _write_lines(tables: Iterable[pa.Table], stream: IO[bytes] | gzip.GzipFile) -> None:
    for batch in (
        batch
        for table in tables
        for batch in table.unify_dictionaries().combine_chunks().to_batches(max_chunksize=_ROWS)
    ):
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
    """Return the pieces of each line: as few as possible, since each costs time per row.

    Neighbouring columns whose values repeat become one piece, with the text between them.
    """
    pieces: list[pa.Array | str] = []
    last = _Repeated(["{"])
    for place, (field, column) in enumerate(zip(batch.schema, batch.columns, strict=True)):
        last = last.before(f'{"," * bool(place)}"{field.name}":')
        repeated = _repeated(column)
        if repeated is None:
            pieces += [last.array(), _texts(column)]
            last = _Repeated([""])
        elif (both := last.joined(repeated)) is not None:
            last = both
        else:
            pieces.append(last.array())
            last = repeated
    return [*pieces, last.before("}\n").array()]


@dataclass(frozen=True, slots=True)
class _Repeated:
    """A column of few distinct texts.

    Attributes:
        texts: the distinct texts.
        codes: index of the text of each row; None if there is only one text.
    """

    texts: list[str]
    codes: NDArray[np.integer[Any]] | None = None

    @classmethod
    def runs(cls, starts: NDArray[np.int64], rows: int, texts: list[str]) -> _Repeated:
        """Return the column in which each text fills the rows from its start to the next start."""
        return cls(texts, np.repeat(np.arange(len(starts)), np.diff(starts, append=rows)))

    def array(self) -> pa.Array | str:
        """Return the column."""
        if self.codes is None:
            return self.texts[0]
        return pa.array(self.texts, pa.string()).take(pa.array(self.codes))

    def before(self, text: str) -> _Repeated:
        """Return the column with a text appended to each of its texts."""
        return _Repeated([one + text for one in self.texts], self.codes)

    def joined(self, other: _Repeated) -> _Repeated | None:
        """Return two columns joined into one; None if it would have too many distinct texts."""
        if other.codes is None:
            return self.before(other.texts[0])
        if self.codes is None:
            return _Repeated([self.texts[0] + one for one in other.texts], other.codes)
        starts = _starts(self.codes, other.codes)
        if _are_many(len(starts), len(self.codes)):
            return None
        pairs = zip(self.codes[starts].tolist(), other.codes[starts].tolist(), strict=True)
        texts = [self.texts[one] + other.texts[two] for one, two in pairs]
        return _Repeated.runs(starts, len(self.codes), texts)


def _repeated(column: pa.Array) -> _Repeated | None:
    """Return a column as few distinct texts; None if there are too many, or for lists."""
    kind = column.type
    if column.null_count == len(column):
        return _Repeated(["null"])
    if pa.types.is_list(kind):
        return None
    if pa.types.is_integer(kind):
        return None if column.null_count else _repeated_numbers(column.to_numpy())
    if not pa.types.is_dictionary(kind):
        column = column.dictionary_encode()
    texts = [orjson.dumps(value).decode() for value in column.dictionary.to_pylist()]
    if len(texts) == 1 and not column.null_count:
        return _Repeated(texts)
    return _Repeated([*texts, "null"], column.indices.fill_null(len(texts)).to_numpy())


def _repeated_numbers(numbers: NDArray[np.integer[Any]]) -> _Repeated | None:
    starts = _starts(numbers)
    if not _are_many(len(starts), len(numbers)):
        return _Repeated.runs(starts, len(numbers), list(map(str, numbers[starts].tolist())))
    least, most = int(numbers.min()), int(numbers.max())
    if _are_many(most - least + 1, len(numbers)):
        return None
    return _Repeated(list(map(str, range(least, most + 1))), numbers - least)


def _starts(*columns: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """Return the rows in which any of the columns differs from the row before."""
    changes = np.ones(len(columns[0]), bool)
    np.not_equal(columns[0][1:], columns[0][:-1], out=changes[1:])
    for column in columns[1:]:
        changes[1:] |= column[1:] != column[:-1]
    return np.flatnonzero(changes)


def _are_many(texts: int, rows: int) -> bool:
    """Return whether the number of distinct texts makes encoding row by row faster."""
    return texts * 8 > rows


def _texts(column: pa.Array) -> pa.Array:
    """Return each value as JSON text."""
    if pa.types.is_list(column.type):
        texts = [orjson.dumps(value).decode() for value in column.to_pylist()]
        return pa.array(texts, pa.string())
    return column.cast(pa.string()).fill_null("null")
