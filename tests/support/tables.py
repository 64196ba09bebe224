"""Read the tables of a folder, with any columns, without the program's code."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

NAME = pa.dictionary(pa.int32(), pa.string())
TEXT = pa.string()
UID = pa.int64()
TEXTS = pa.list_(pa.string())

Column = tuple[str, pa.DataType]


def table(folder: Path, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return the rows of all files of a folder; assert that each has exactly these columns.

    Args:
        folder: of the files, such as OUT/links.
        columns: names and types, in their order.
    """
    found: list[dict[str, Any]] = []
    for path in sorted(folder.iterdir()):
        if path.suffix == ".parquet":
            part = pq.ParquetFile(path).read()
            assert part.schema.remove_metadata() == pa.schema(columns), path
            found += part.to_pylist()
        else:
            found += _lines(path, columns)
    return found


def _lines(path: Path, columns: Sequence[Column]) -> list[dict[str, Any]]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    lines = [json.loads(line) for line in data.decode().splitlines()]
    for line in lines:
        assert list(line) == [name for name, _ in columns], path
        for name, kind in columns:
            assert _is(line[name], kind), (path, name, line[name])
    return lines


def _is(value: object, kind: pa.DataType) -> bool:
    if value is None:
        return True
    if pa.types.is_list(kind):
        return isinstance(value, list) and all(_is(one, kind.value_type) for one in value)
    if pa.types.is_boolean(kind):
        return isinstance(value, bool)
    return type(value) is (int if pa.types.is_integer(kind) else str)


def outcomes(uid: pa.DataType = UID) -> list[Column]:
    """Return the columns of `uids`."""
    return [
        ("dbfrom", NAME), ("from_uid", uid), ("outcome", NAME), ("links", pa.int64()),
        ("reason", TEXT),
    ]  # fmt: skip


def keyed(rows: Iterable[dict[str, Any]], *columns: str) -> list[tuple[Any, ...]]:
    """Return some columns of rows, lists as tuples, sorted."""
    return sorted(
        (
            tuple(tuple(row[n]) if isinstance(row[n], list) else row[n] for n in columns)
            for row in rows
        ),
        key=repr,
    )
