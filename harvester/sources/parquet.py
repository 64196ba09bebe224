"""Columns of Parquet files."""

from __future__ import annotations

import io
import math
from typing import IO, TYPE_CHECKING, cast

import pyarrow as pa

from harvester.errors import BadInput, nearest, printable
from harvester.model import lazy_compute as pc
from harvester.sources.compressed import DAMAGE
from harvester.store.sinks.parquet import open_parquet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.sources.rejected import BadEntries

ROWS = 1 << 17
"""Rows per block."""

EXACT = {64: 2.0**53, 32: 2.0**24, 16: 2.0**11}
"""Bits of a float → the smallest one that may stand for another whole number, too."""

_MAGIC = b"PAR1"
"""First bytes of a Parquet file."""


def is_parquet(stream: IO[bytes]) -> bool:
    """Return whether an open file begins like Parquet."""
    return cast("io.BufferedReader", stream).peek(len(_MAGIC))[: len(_MAGIC)] == _MAGIC


class ArrowBlock:
    """Cells of some rows of a column: int64, uint64, float32, float64 or texts."""

    def __init__(self, cells: pa.Array, row: int) -> None:
        self._cells = cells
        self._row = row

    def column(self) -> pa.Array:
        """Return them."""
        return self._cells

    def cells(self, bad: BadEntries) -> Iterator[tuple[int, str]]:
        """Yield those that are not null as texts; collect floats that are not exact."""
        exact = exact_below(self._cells.type)
        for row, cell in enumerate(self._cells.to_pylist(), self._row):
            if isinstance(cell, float) and cell >= exact:
                bad.add(
                    row,
                    repr(cell),
                    f"{cell!r} is too large for a UID stored as a float; "
                    "store it as a whole number or a text.",
                )
            elif isinstance(cell, float):
                yield row, f"{cell:.0f}" if cell.is_integer() else str(cell)
            elif cell is not None:
                yield row, str(cell)


def parquet_blocks(stream: IO[bytes], column: str | None, name: str) -> Iterator[ArrowBlock]:
    """Yield a column of an open Parquet file in blocks.

    Args:
        stream: the file.
        column: name of the column, or its number from 1; None for the only column.
        name: of the file, for errors.

    Raises:
        BadInput: The column does not exist, or the file is damaged, or compressed as a whole.
    """
    if not is_parquet(stream):
        raise BadInput(f"{name} is damaged, cut short, or not a parquet table.")
    if type(stream) is not io.BufferedReader:  # errors of decompression
        raise BadInput(f"{name} is compressed as a whole; decompress the Parquet file.")
    source = stream if stream.seekable() else io.BytesIO(stream.read())
    row = 1
    try:
        file = open_parquet(source)
        chosen = _choose(file.schema_arrow.names, column, name)
        for batch in file.iter_batches(ROWS, columns=[chosen]):
            yield ArrowBlock(plain(batch.column(0), name), row)
            row += batch.num_rows
    except DAMAGE as error:
        why = f": {printable(str(error)).rstrip('.')}" if isinstance(error, pa.ArrowInvalid) else ""
        raise BadInput(f"{name} is damaged, cut short, or not a parquet table{why}.") from error


def _choose(names: list[str], column: str | None, name: str) -> str:
    """Return the name of the column to read.

    Raises:
        BadInput: No column or several columns have that name; or several columns exist and none
            was named.
    """
    listed = ", ".join(printable(one, 40) for one in names[:20]) + (", …" if names[20:] else "")
    if column is None:
        if len(names) == 1:
            return names[0]
        raise BadInput(
            f"{name} has {len(names)} columns ({listed}): name the one with the UIDs "
            "with --ids-column."
        )
    if column not in names and column.isdecimal() and 1 <= int(column) <= len(names):
        column = names[int(column) - 1]
    if names.count(column) != 1:
        often = "more than one column" if column in names else "no column"
        raise BadInput(
            f"{name} has {often} called '{printable(column)}'"
            f"{nearest(column, names)}; its columns are {listed}."
        )
    return column


def exact_below(kind: pa.DataType) -> float:
    """Return the smallest float of a type that may stand for another whole number, too."""
    return EXACT[kind.bit_width] if pa.types.is_floating(kind) else math.inf


def plain(cells: pa.Array, name: str) -> pa.Array:
    """Return cells as int64, uint64, float32, float64, or texts without surrounding blanks."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        return plain(cells.dictionary, name).take(cells.indices)
    if pa.types.is_integer(kind):
        return cells if kind == pa.uint64() else cells.cast(pa.int64())
    if pa.types.is_float32(kind) or pa.types.is_float64(kind):
        return pc.if_else(pc.is_nan(cells), None, cells)
    if pa.types.is_decimal(kind):
        return cells.cast(pa.string())
    if pa.types.is_null(kind):
        return pa.nulls(len(cells), pa.string())
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == "string_view"):
        raise BadInput(f"{name}: the column holds {kind} values; UIDs are whole numbers or texts.")
    cells = pc.utf8_trim_whitespace(cells.cast(pa.string()))
    return pc.if_else(pc.equal(cells, ""), None, cells)
