"""UIDs from a column of a table: CSV, TSV or Parquet.

Only that column is parsed, block by block. Whole numbers are parsed in bulk, texts by the rules
for lists of UIDs. Floats are accepted if they are whole, since pandas turns a column with gaps
into floats. Empty cells, and those that say that there is no value (NA, -), are left out.
"""

from __future__ import annotations

from itertools import chain
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import pyarrow as pa

from harvester.model import lazy_compute as pc
from harvester.sources.compressed import display_name
from harvester.sources.delimited import table_blocks
from harvester.sources.encoding import chunks_of, line_blocks
from harvester.sources.layout import find_layout
from harvester.sources.notation import MISSING, UidParser
from harvester.sources.parquet import exact_below, is_parquet, parquet_blocks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harvester.model.uids import UidArray
    from harvester.sources.rejected import BadEntries

T = TypeVar("T")

_KINDS = 1 << 10
"""Number of distinct non-numeric cells above which a block is read cell by cell."""

_SAMPLE = 1 << 14
"""Bytes read to determine the format of a table."""

_PACKED = {".gz", ".zst", ".xz", ".bz2"}
_SUFFIXES = {".csv": ".csv", ".tsv": ".tsv", ".tab": ".tsv", ".parquet": ".parquet"}


class Cells(Protocol):
    """Cells of a column in a block of rows."""

    def column(self) -> pa.Array | None:
        """Return them as an array, or None if only `cells` can read them."""

    def cells(self, bad: BadEntries) -> Iterator[tuple[int, str]]:
        """Yield them as texts, each with its line, or its row in a Parquet file."""


def table_suffix(name: str) -> str | None:
    """Return `.csv`, `.tsv` or `.parquet` from the name of a table, None for any other file.

    A suffix of a compression is ignored.
    """
    path = PurePath(name.lower())
    suffix = PurePath(path.stem).suffix if path.suffix in _PACKED else path.suffix
    return _SUFFIXES.get(suffix)


def uids_of(
    stream: IO[bytes], name: str, column: str | None, parse: UidParser, bad: BadEntries
) -> Iterator[UidArray]:
    """Yield the UIDs in a column of an open table; see `files.read_uids`."""
    for block in column_blocks(stream, name, column, parse):
        column_of_block = block.column()
        uids = None if column_of_block is None else parse_in_bulk(column_of_block, bad)
        if uids is None:
            uids = np.fromiter(parse_cells(block, parse, bad), np.int64)
        yield uids
    bad.finish()


def column_blocks(
    stream: IO[bytes], name: str, column: str | None, parse: Callable[[str], object]
) -> Iterator[Cells]:
    """Yield a column of an open table in blocks.

    Args:
        stream: the file, decompressed.
        name: its path, or `-`.
        column: name of the column, or its number from 1; None for the only column.
        parse: raises ValueError for a cell that is not a UID: such a first cell may be a name.

    Raises:
        BadInput: The column does not exist, or the file is not a table.
    """
    shown, suffix = display_name(name), table_suffix(name)
    if is_parquet(stream) or suffix == ".parquet":
        yield from parquet_blocks(stream, column, shown)
        return
    lines = line_blocks(chunks_of(stream, shown))
    first = b""
    while len(first) < _SAMPLE and (block := next(lines, None)):
        first += block[1]
    layout = find_layout(first, shown, column, suffix, parse)
    rest = first.split(b"\n", layout.skip)[layout.skip :] or [b""]
    yield from table_blocks(chain([(layout.skip + 1, rest[0])], lines), layout, shown)


def parse_cells(block: Cells, parse: Callable[[str], T], bad: BadEntries) -> Iterator[T]:
    """Yield the cells of a block, parsed; collect those that are wrong."""
    for line, text in block.cells(bad):
        if text.lower() in MISSING:
            if text:
                bad.add_missing(text)
            continue
        try:
            yield parse(text)
        except ValueError as error:
            bad.add(line, text, str(error))


def parse_in_bulk(cells: pa.Array, bad: BadEntries) -> UidArray | None:
    """Return the UIDs of a block, or None if a cell needs a closer look."""
    missing: dict[str, int] = {}
    present = cells.drop_null()
    if pa.types.is_string(present.type):
        digits = pc.ascii_is_decimal(present)
        if pc.all(digits).as_py() is False:
            present = pc.utf8_trim_whitespace(present)
            digits = pc.ascii_is_decimal(present)
            others = present.filter(pc.invert(digits))
            counts = pc.value_counts(others)
            if len(counts) > _KINDS:
                return None
            missing = {one["values"]: one["counts"] for one in counts.to_pylist()}
            if any(text.lower() not in MISSING for text in missing):
                return None
            present = present.filter(digits)
    try:
        uids: UidArray = present.cast(pa.int64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:  # a fraction, or out of range
        return None
    if len(uids) and (uids.min() < 1 or uids.max() >= exact_below(present.type)):
        return None
    for text, count in missing.items():
        if text:
            bad.add_missing(text, count)
    return uids
