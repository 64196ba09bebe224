"""UIDs from a column of a table: .csv and .tsv, compressed or not, and .parquet.

Only that column is parsed, block by block. Whole numbers are parsed in bulk, texts by the rules
for lists of UIDs. Floats are accepted if they are whole, since pandas turns a column with gaps
into floats. Empty cells are left out.
"""

from __future__ import annotations

import csv
import io
import re
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from harvester.errors import BadInput, nearest, printable
from harvester.model import lazy_compute as pc
from harvester.sources.compressed import DAMAGE, display_name, open_input
from harvester.sources.notation import UidParser

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harvester.model.uids import UidArray

BLOCK = 4 << 20
"""Bytes of text per block."""

ROWS = 1 << 17
"""Rows of Parquet per block."""

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_PACKED = {".gz", ".zst", ".xz", ".bz2"}
_EXACT = 2.0**53
"""Largest float below which every whole number has a float of its own."""

_WHOLE = re.compile(r"(\d+)\.0*")
_HEADER = 1 << 20
"""Bytes read to find the header line."""


def table_suffix(name: str) -> str | None:
    """Return `.csv`, `.tsv` or `.parquet` from the name of a table, None for any other file.

    A suffix of a compression is ignored.
    """
    path = PurePath(name.lower())
    suffix = PurePath(path.stem).suffix if path.suffix in _PACKED else path.suffix
    return suffix if suffix in {*_DELIMITERS, ".parquet"} else None


def read_column(name: str, column: str | None, dbfrom: str) -> Iterator[UidArray]:
    """Yield the UIDs in a column of a table in blocks, in the order of its rows, with duplicates.

    Args:
        name: path with a suffix that `table_suffix` knows.
        column: name of the column; None takes the only column.
        dbfrom: database of the UIDs; decides which prefixes (as in PMID:1) are accepted.

    Raises:
        BadInput: A cell is not a UID (names file, row and text), the column does not exist, or
            the file is not such a table. Row 1 is the first below the header.
    """
    parse = UidParser(dbfrom)
    for row, cells in read_cells(name, column):
        yield _uids(cells, display_name(name), row, parse)


def read_cells(name: str, column: str | None) -> Iterator[tuple[int, pa.Array]]:
    """Yield a column in blocks of whole numbers, floats or texts; empty texts are null.

    Yields:
        The number of the block's first row, from 1, and its cells.

    Raises:
        BadInput: The column does not exist, or the file is not such a table.
    """
    kind = table_suffix(name)
    delimiter = _DELIMITERS.get(kind or "")
    blocks = _of_text(name, column, delimiter) if delimiter else _of_parquet(name, column)
    row = 1
    try:
        for cells in blocks:
            yield row, _plain(cells, name)
            row += len(cells)
    except DAMAGE as error:
        why = f": {printable(str(error))}" if isinstance(error, pa.ArrowInvalid) else ""
        table = f"{(kind or '').lstrip('.')} table"
        raise BadInput(
            f"{display_name(name)} is damaged, cut short, or not a {table}{why}."
        ) from error


def cell_text(cell: object) -> str:
    """Return a cell as a list of UIDs would have it: 12.0 as 12."""
    if isinstance(cell, float):
        return f"{cell:.0f}" if cell.is_integer() and abs(cell) <= _EXACT else str(cell)
    text = str(cell).strip()
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def _of_text(name: str, column: str | None, delimiter: str) -> Iterator[pa.Array]:
    with open_input(name) as stream:
        start = stream.read(_HEADER)
    column = _chosen(_header(start, name, delimiter), column, name)
    if b"\n" not in start and b"\r" not in start:  # a header alone: pyarrow would report no columns
        return
    with open_input(name) as stream:
        reader = pacsv.open_csv(
            pa.PythonFile(stream, "r"),
            read_options=pacsv.ReadOptions(block_size=BLOCK, use_threads=False),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                include_columns=[column],
                column_types={column: pa.string()},
                strings_can_be_null=True,
            ),
        )
        for batch in reader:
            yield batch.column(0)


def _header(start: bytes, name: str, delimiter: str) -> list[str]:
    """Return the column names in the first line.

    Raises:
        BadInput: There is no such line.
    """
    text = start.decode("utf-8-sig", "replace")
    try:
        names = next(csv.reader(io.StringIO(text), delimiter=delimiter), [])
    except csv.Error:
        names = []
    if not names or "\0" in text:
        raise BadInput(
            f"{display_name(name)} has no header line; the first line must name the columns."
        )
    return names


def _of_parquet(name: str, column: str | None) -> Iterator[pa.Array]:
    with open_input(name) as stream:
        if not stream.seekable() or not isinstance(stream, io.BufferedReader):
            raise BadInput(
                f"{display_name(name)} is compressed as a whole; decompress the Parquet file."
            )
        file = pq.ParquetFile(stream)
        chosen = _chosen(file.schema_arrow.names, column, name)
        for batch in file.iter_batches(ROWS, columns=[chosen]):
            yield batch.column(0)


def _chosen(names: Sequence[str], column: str | None, name: str) -> str:
    """Return the name of the column to read.

    Raises:
        BadInput: No column or several columns have that name; or several columns exist and none
            was named.
    """
    there = ", ".join(printable(one, 40) for one in names[:20]) + (", …" if names[20:] else "")
    if column is None:
        if len(names) == 1:
            return names[0]
        raise BadInput(
            f"{display_name(name)} has {len(names)} columns ({there}): name the one with the UIDs "
            "with --ids-column."
        )
    if names.count(column) != 1:
        often = "more than one column" if column in names else "no column"
        raise BadInput(
            f"{display_name(name)} has {often} called '{printable(column)}'"
            f"{nearest(column, names)}; its columns are {there}."
        )
    return column


def _plain(cells: pa.Array, name: str) -> pa.Array:
    """Return cells as int64, uint64, float64, or texts without surrounding blanks."""
    kind = cells.type
    if pa.types.is_dictionary(kind):
        return _plain(cells.dictionary_decode(), name)
    if pa.types.is_integer(kind):
        return cells if kind == pa.uint64() else cells.cast(pa.int64())
    if pa.types.is_floating(kind):
        cells = cells.cast(pa.float64())
        return pc.if_else(pc.is_nan(cells), None, cells)
    if pa.types.is_decimal(kind):
        return cells.cast(pa.string())
    if pa.types.is_null(kind):
        return pa.nulls(len(cells), pa.string())
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == "string_view"):
        raise BadInput(
            f"{display_name(name)}: the column holds {kind} values; "
            "UIDs are whole numbers or texts."
        )
    cells = pc.utf8_trim_whitespace(cells.cast(pa.string()))
    return pc.if_else(pc.equal(cells, ""), None, cells)


def _uids(cells: pa.Array, name: str, row: int, parse: UidParser) -> UidArray:
    """Parse cells in bulk, or one by one to find the one that is wrong."""
    present = cells.drop_null()
    numbers = present
    if pa.types.is_string(present.type):
        digits = pc.match_substring_regex(present, r"^[0-9]+$")
        numbers = present if pc.all(digits).as_py() is not False else None
    if numbers is not None:
        try:
            uids: UidArray = numbers.cast(pa.int64()).to_numpy(zero_copy_only=False)
        except pa.ArrowInvalid:
            pass  # a fraction, or out of range: parse one by one to name it
        else:
            large = pa.types.is_floating(present.type) and pc.max(present).as_py()
            if not len(uids) or (uids.min() >= 1 and not (large and large > _EXACT)):
                return uids
    found: list[int] = []
    for place, cell in enumerate(cells.to_pylist(), row):
        if cell is None:
            continue
        if isinstance(cell, float) and cell > _EXACT:
            raise BadInput(
                f"{name}, row {place}: {cell!r} is too large for a UID stored as a float; "
                "store it as a whole number or a text."
            )
        try:
            found.append(parse(cell_text(cell)))
        except ValueError as error:
            raise BadInput(f"{name}, row {place}: {error}") from None
    return np.array(found, np.int64)
