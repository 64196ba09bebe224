"""Join Parquet files by copying their row groups and writing a new footer.

A row group is one contiguous range of bytes, and the footer gives its offset. Another file may
hold the same bytes if its footer gives the new offset (Parquet format, `parquet.thrift` and "File
layout"). The footer is a struct in Thrift's compact protocol. It is read as numbered fields and
written again with other offsets, so that all other fields are kept.

Copying takes a tenth of the time of decoding and encoding rows (8 and 98 ns of CPU per row of
links). The sink checks once per process that it works with the installed pyarrow, and otherwise
decodes and encodes.
"""

from __future__ import annotations

import os
import struct
from typing import IO, TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"PAR1"

_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)

Struct: TypeAlias = dict[int, tuple[int, Any]]
"""Number of a field → its type and value. The value of a list is the type of its elements and the
elements."""

_SCHEMA, _NUM_ROWS, _ROW_GROUPS = 2, 3, 4  # of FileMetaData
_COLUMNS, _GROUP_ROWS, _GROUP_OFFSET, _ORDINAL = 1, 3, 5, 7  # of RowGroup
_CHUNK_OFFSET, _META_DATA = 2, 3  # of ColumnChunk
_COMPRESSED, _DATA_PAGE, _DICTIONARY_PAGE = 7, 9, 11  # of ColumnMetaData
_ELSEWHERE = {4, 6}, {10, 14}
"""Fields of ColumnChunk and ColumnMetaData that refer to bytes outside the row group."""


class UnknownFooter(ValueError):
    """The footer lacks fields that copying needs, or has unknown types of fields."""


class Footer:
    """The footer of a Parquet file.

    Args:
        file: the file, open for reading.

    Raises:
        UnknownFooter: its row groups cannot be copied.
    """

    def __init__(self, file: IO[bytes]) -> None:
        try:
            file.seek(-8, os.SEEK_END)
            length, magic = struct.unpack("<i4s", file.read(8))
            if magic != MAGIC:
                raise UnknownFooter("not a Parquet file, or an encrypted one")
            file.seek(-8 - length, os.SEEK_END)
            self.fields: Struct = _read_struct(memoryview(file.read(length)), 0)[0]
            self.schema: object = self.fields[_SCHEMA]
            self.row_groups: list[Struct] = self.fields[_ROW_GROUPS][1][1]
            for group in self.row_groups:
                rows_of(group), is_whole(group), _extent(group)
        except (OSError, LookupError, TypeError, struct.error) as error:
            raise UnknownFooter(f"a footer without what copying needs: {error!r}") from error


class Joined:
    """A file made of the row groups of other files.

    Args:
        stream: receives its bytes.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._footer: Footer | None = None
        self._groups: list[Struct] = []
        self._at = stream.write(MAGIC)

    def __len__(self) -> int:
        """Return the number of row groups copied so far."""
        return len(self._groups)

    def copy(self, file: IO[bytes], footer: Footer, group: Struct) -> None:
        """Append a row group of another file."""
        self._footer = self._footer or footer
        start, size = _extent(group)
        self._groups.append(_moved(group, self._at - start, len(self._groups)))
        file.seek(start)
        left = size
        while left:
            piece = file.read(min(left, 1 << 20))
            if not piece:
                raise ValueError("the file ends inside a row group")
            self._stream.write(piece)
            left -= len(piece)
        self._at += size

    def close(self) -> None:
        """Write the footer; at least one row group must have been copied."""
        assert self._footer is not None
        rows = sum(rows_of(group) for group in self._groups)
        fields = self._footer.fields | {
            _NUM_ROWS: (_I64, rows),
            _ROW_GROUPS: (_LIST, (_STRUCT, self._groups)),
        }
        footer = b"".join(_written_struct(dict(sorted(fields.items()))))
        self._stream.write(footer + struct.pack("<i4s", len(footer), MAGIC))


def rows_of(group: Struct) -> int:
    """Return the number of rows of a row group."""
    rows: int = group[_GROUP_ROWS][1]
    return rows


def is_whole(group: Struct) -> bool:
    """Return whether a row group has no index or filter elsewhere in the file."""
    return not any(
        _ELSEWHERE[0] & set(chunk) or _ELSEWHERE[1] & set(chunk[_META_DATA][1])
        for chunk in group[_COLUMNS][1][1]
    )


def _extent(group: Struct) -> tuple[int, int]:
    """Return the offset of a row group and its size in bytes."""
    columns = [chunk[_META_DATA][1] for chunk in group[_COLUMNS][1][1]]
    starts = [
        column[field][1]
        for column in columns
        for field in (_DATA_PAGE, _DICTIONARY_PAGE)
        if field in column
    ]
    return min(starts), sum(column[_COMPRESSED][1] for column in columns)


def _moved(group: Struct, by: int, ordinal: int) -> Struct:
    """Return a row group whose bytes stand `by` bytes further on in another file."""
    chunks = []
    for chunk in group[_COLUMNS][1][1]:
        column = _shifted(chunk[_META_DATA][1], by, _DATA_PAGE, _DICTIONARY_PAGE)
        there = chunk | {_META_DATA: (_STRUCT, column)}
        # file_offset is deprecated and usually 0. Otherwise it counts from the start of the file.
        chunks.append(_shifted(there, by, _CHUNK_OFFSET) if chunk[_CHUNK_OFFSET][1] else there)
    moved = _shifted(group | {_COLUMNS: (_LIST, (_STRUCT, chunks))}, by, _GROUP_OFFSET)
    return moved | ({_ORDINAL: (_I16, ordinal)} if _ORDINAL in group and ordinal < 1 << 15 else {})


def _shifted(fields: Struct, by: int, *offsets: int) -> Struct:
    return fields | {n: (_I64, fields[n][1] + by) for n in offsets if n in fields}


# --- Thrift's compact protocol ------------------------------------------------------------------


def _read_varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def _read_struct(data: memoryview, at: int) -> tuple[Struct, int]:
    fields: Struct = {}
    number = 0
    while head := data[at]:
        at += 1
        if head >> 4:
            number += head >> 4
        else:
            zigzag, at = _read_varint(data, at)
            number = (zigzag >> 1) ^ -(zigzag & 1)
        kind = head & 0xF
        if kind in (_TRUE, _FALSE):
            fields[number] = kind, None
        else:
            value, at = _read(data, at, kind)
            fields[number] = kind, value
    return fields, at + 1


def _read(data: memoryview, at: int, kind: int) -> tuple[Any, int]:
    if kind in (_I16, _I32, _I64):
        zigzag, at = _read_varint(data, at)
        return (zigzag >> 1) ^ -(zigzag & 1), at
    if kind == _BINARY:
        size, at = _read_varint(data, at)
        return bytes(data[at : at + size]), at + size
    if kind == _STRUCT:
        return _read_struct(data, at)
    if kind in (_LIST, _SET):
        element, size = data[at] & 0xF, data[at] >> 4
        at += 1
        if size == 0xF:
            size, at = _read_varint(data, at)
        values = []
        for _ in range(size):
            value, at = _read(data, at, element)
            values.append(value)
        return (element, values), at
    if kind in (_TRUE, _FALSE, _BYTE):  # a boolean in a list is a byte
        return bytes(data[at : at + 1]), at + 1
    if kind == _DOUBLE:
        return bytes(data[at : at + 8]), at + 8
    raise UnknownFooter(f"a footer with a field of type {kind}")


def _varint(value: int) -> bytes:
    digits = bytearray()
    while value >= 0x80:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def _zigzag(value: int) -> bytes:
    return _varint((value << 1) ^ (value >> 63))


def _written_struct(fields: Struct) -> Iterator[bytes]:
    last = 0
    for number, (kind, value) in fields.items():
        step = number - last
        yield bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + _zigzag(number)
        last = number
        if kind not in (_TRUE, _FALSE):
            yield from _written(kind, value)
    yield b"\0"


def _written(kind: int, value: Any) -> Iterator[bytes]:
    if kind in (_I16, _I32, _I64):
        yield _zigzag(value)
    elif kind == _BINARY:
        yield _varint(len(value))
        yield value
    elif kind == _STRUCT:
        yield from _written_struct(value)
    elif kind in (_LIST, _SET):
        element, values = value
        size = len(values)
        yield (
            bytes([size << 4 | element]) if size < 0xF else bytes([0xF0 | element]) + _varint(size)
        )
        for one in values:
            yield from _written(element, one)
    else:
        yield value
