"""Rows of CSV and TSV files.

The delimiter is a tab, a semicolon or a comma. With tabs, a quotation mark is an ordinary
character and a row is a line, as in the tables of NCBI. With commas and semicolons, quotation
marks enclose cells, as in RFC 4180; one that is not closed is an error. A row with more or fewer
cells than the header is wrong: it is unknown which of its cells is the UID.
Arrow reads the blocks without quotes or wrong rows. All others are read row by row.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from harvester.errors import BadInput
from harvester.sources.encoding import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from harvester.sources.rejected import BadEntries

_SHORT = 1 << 15
"""Bytes up to which a block is read row by row: faster than starting Arrow's threads."""

_QUOTE, _NEWLINE = ord('"'), ord("\n")


@dataclass(frozen=True, slots=True)
class Layout:
    """Format of a table.

    Attributes:
        delimiter: between cells.
        index: place of the column in a row, from 0.
        least: cells that each row must have.
        most: cells that a row may have, apart from empty ones at its end.
        skip: lines before the first row of data.
    """

    delimiter: str
    index: int
    least: int
    most: int
    skip: int


class Row(NamedTuple):
    """Row of a table: the number of its first line, from 1, and its cells."""

    line: int
    cells: list[str]


class Block:
    """Whole rows of a table.

    Args:
        data: their bytes.
        line: number of the first line.
        layout: form of the table.
        name: of the file, for errors.
        rows: the rows, where they were read already.
    """

    def __init__(
        self, data: bytes, line: int, layout: Layout, name: str, rows: list[Row] | None = None
    ) -> None:
        self._data = data
        self._line = line
        self._layout = layout
        self._name = name
        self._rows = rows

    def column(self) -> pa.Array | None:
        """Return the cells of the column as texts; None if only `cells` can read them."""
        if self._rows is not None or len(self._data) <= _SHORT:
            return None
        return _column(self._data, self._layout)

    def cells(self, bad: BadEntries) -> Iterator[tuple[int, str]]:
        """Yield the cells of the column, each with the number of its line.

        Args:
            bad: collects rows with too few or too many cells.
        """
        layout = self._layout
        rows = self._rows
        if rows is None:
            rows, _ = split_rows(self._data, self._line, layout.delimiter, self._name)
        for row in rows:
            count = len(row.cells)
            if count > layout.most and _ends_empty(row.cells, layout):
                count = layout.most
            if layout.least <= count <= layout.most:
                yield row.line, cell_of(row.cells[layout.index], layout.delimiter)
            elif any(map(str.strip, row.cells)):  # a blank line is no row
                bad.add(
                    row.line,
                    decode(layout.delimiter.join(row.cells).encode("latin-1")),
                    f"the row has {len(row.cells)} of the {layout.most} cells of the first row."
                    if len(row.cells) < layout.most
                    else f"the row has {len(row.cells)} cells, the first row {layout.most}.",
                )


def table_blocks(blocks: Iterable[tuple[int, bytes]], layout: Layout, name: str) -> Iterator[Block]:
    """Yield a table in blocks of whole rows.

    Args:
        blocks: the lines after the header, each block with the number of its first line.
        layout: form of the table.
        name: of the file, for errors.

    Raises:
        BadInput: A quotation mark is not closed, or closed within a cell.
    """
    open_line, carry = 1, b""
    for line, lines in blocks:
        data, start = (carry + lines, open_line) if carry else (lines, line)
        carry = b""
        if layout.delimiter == "\t" or b'"' not in data or _is_well_quoted(data, layout):
            yield Block(data, start, layout, name)
        else:
            rows, carry = split_rows(data, start, layout.delimiter, name)
            open_line = start + data.count(b"\n") - carry.count(b"\n")
            yield Block(b"", start, layout, name, rows)
    if carry:
        raise BadInput(
            f"{name}, line {open_line}: a quotation mark opens a cell there and is never closed. "
            "Close it, or write a quotation mark within a cell twice."
        )


def split_rows(data: bytes, line: int, delimiter: str, name: str) -> tuple[list[Row], bytes]:
    """Divide whole lines into rows.

    Args:
        data: the lines.
        line: number of the first.
        delimiter: between cells.
        name: of the file, for errors.

    Returns:
        The rows, and the lines of a last row whose quotation mark is not closed yet.

    Raises:
        BadInput: A quotation mark is closed within a cell.
    """
    lines = data.decode("latin-1").split("\n")
    if not lines[-1]:
        lines.pop()
    if delimiter == "\t" or b'"' not in data:
        return [Row(number, text.split(delimiter)) for number, text in enumerate(lines, line)], b""
    reader = csv.reader((f"{text}\n" for text in lines), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    done = 0
    try:
        for cells in reader:
            rows.append(Row(line + done, cells))
            done = reader.line_num
    except csv.Error as error:
        if "unexpected end" in str(error):
            return rows, "".join(f"{text}\n" for text in lines[done:]).encode("latin-1")
        if "field larger" in str(error):
            raise BadInput(
                f"{name}, line {line + done}: a cell there has more than "
                f"{csv.field_size_limit():,} characters; a quotation mark may not be closed."
            ) from error
        raise BadInput(
            f"{name}, line {line + done}: a quotation mark opens a cell there that does not end "
            f"with a quotation mark and a delimiter, up to line {line + reader.line_num - 1}. "
            "Write a quotation mark within a cell twice."
        ) from error
    return rows, b""


def _ends_empty(cells: list[str], layout: Layout) -> bool:
    """Return whether the surplus cells are empty, and no cell has lost its quotes."""
    stray = layout.delimiter != "\t" and any('"' in cell for cell in cells)
    return not stray and not any(map(str.strip, cells[layout.most :]))


def _is_well_quoted(data: bytes, layout: Layout) -> bool:
    """Return whether all quotation marks enclose whole cells, so that Arrow reads them rightly."""
    codes = np.frombuffer(data, np.uint8)
    marks = np.flatnonzero(codes == _QUOTE)
    if len(marks) % 2:
        return False
    opening, closing = marks[0::2], marks[1::2]
    ends = (_NEWLINE, ord(layout.delimiter))
    # A mark beside the one before it is half of a doubled one, within a cell.
    doubled = np.zeros(len(opening) + 1, bool)
    doubled[1:-1] = opening[1:] == closing[:-1] + 1
    before = np.where(opening > 0, codes[opening - 1], _NEWLINE)
    after = np.where(closing + 1 < len(codes), codes[np.minimum(closing + 1, len(codes) - 1)], 10)
    opens, closes = np.isin(before, ends) | doubled[:-1], np.isin(after, ends) | doubled[1:]
    return bool(opens.all() and closes.all())


def _column(data: bytes, layout: Layout) -> pa.Array | None:
    """Return the column of a block read by Arrow, or None if a row is wrong or no text."""
    names = [str(place) for place in range(layout.most)]
    chosen = names[layout.index]
    try:
        table = pacsv.read_csv(
            pa.py_buffer(data),
            read_options=pacsv.ReadOptions(column_names=names, use_threads=False),
            parse_options=pacsv.ParseOptions(
                delimiter=layout.delimiter,
                quote_char=False if layout.delimiter == "\t" else '"',
                newlines_in_values=layout.delimiter != "\t",
            ),
            convert_options=pacsv.ConvertOptions(
                include_columns=[chosen],
                column_types={chosen: pa.string()},
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table[chosen].combine_chunks()


def cell_of(raw: str, delimiter: str) -> str:
    """Return a cell as text, without the quotation marks that R puts around it in a TSV file."""
    text = (raw if raw.isascii() else decode(raw.encode("latin-1"))).strip()
    if delimiter == "\t" and len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text
