"""Format of a CSV or TSV file: its delimiter, its header, and the place of a column.

Nothing is guessed: a delimiter or a header that can be read in two ways is an error.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from harvester.errors import BadInput, nearest, printable
from harvester.sources.delimited import Layout, Row, cell_of, split_rows
from harvester.sources.notation import MISSING, clean, is_grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_CALLED = {"\t": "tabs", ";": "semicolons", ",": "commas"}
"""Delimiter → its name in errors."""

_SAMPLE = 50
"""Number of lines at the beginning of a file that are examined."""

_NAMED = 20
"""Maximum number of columns named in an error."""


class _Start(NamedTuple):
    """First lines of a table, divided by one delimiter.

    Attributes:
        delimiter: between cells.
        comments: the lines before the first row that begin with `#`. One may name the columns.
        rows: the rows after them, without blank ones; the first may name the columns.
        ends: number of the first line after each of these rows.
    """

    delimiter: str
    comments: list[Row]
    rows: list[Row]
    ends: list[int]

    @property
    def width(self) -> int:
        """Number of cells of the first row, without empty ones at its end."""
        return _width(self.rows[0].cells) if self.rows else 0

    def header(self) -> list[str]:
        """Return the cells that most likely name the columns."""
        for comment in reversed(self.comments):
            if len(comment.cells) > 1:
                return comment.cells
        return self.rows[0].cells if self.rows else []


def find_layout(
    data: bytes, name: str, column: str | None, suffix: str | None, parse: Callable[[str], object]
) -> Layout:
    """Return the form of a table.

    Args:
        data: its first lines.
        name: of the file, for errors.
        column: name of the column, or its number from 1; None for the only column.
        suffix: `.csv` or `.tsv` if the file's name ends so, or None.
        parse: raises ValueError for a cell that is not a UID.

    Raises:
        BadInput: There is no such column, or several; or the delimiter or the header cannot be
            told.
    """
    starts = _starts(data, suffix, name)
    if not any(start.header() for start in starts):
        raise BadInput(f"{name} has no header line; the first line must name the columns.")
    place = int(column) - 1 if column and re.fullmatch("[1-9][0-9]*", column) else None
    found: list[tuple[Layout, _Start]] = []
    for start in starts:
        if column is None:
            layout = _numbered(start, 0, name, parse) if start.width == 1 else None
        elif place is not None:
            cells = start.rows[0].cells if start.rows else []
            layout = _numbered(start, place, name, parse) if place < len(cells) else None
        else:
            layout = _named(start, column, name)
        if layout is not None:
            found.append((layout, start))
    if not found:
        raise BadInput(_no_column(starts, name, column, place))
    if len(found) > 1:  # if rows differ in length under each delimiter, reading reports one
        found = [(layout, start) for layout, start in found if _fits(layout, start)] or found[:1]
    if len(found) > 1:
        called = " or ".join(_CALLED[layout.delimiter] for layout, _ in found)
        raise BadInput(
            f"{name}: the cells can be separated by {called}. Save the table with tabs, or put "
            "cells with commas or semicolons in quotation marks."
        )
    return found[0][0]


def _starts(data: bytes, suffix: str | None, name: str) -> list[_Start]:
    """Divide the first lines by each delimiter that is possible.

    Raises:
        BadInput: The quotation marks are wrong with each of them.
    """
    lines = data.split(b"\n")[:_SAMPLE]
    skip = 0
    while skip < len(lines) and (not lines[skip].strip() or _COMMENT.match(lines[skip])):
        skip += 1
    heads = lines[: skip + 1]
    first_cells_open = bool(heads) and heads[-1].count(b'"') % 2 == 1
    text = b"\n".join(lines if first_cells_open else heads)
    possible = [one for one in _CALLED if one.encode() in text]
    if suffix == ".tsv":
        possible = ["\t"]
    elif marked := re.match(rb'"?sep=(.)"?$', lines[0], re.IGNORECASE):  # as Excel writes it
        possible, skip, heads = [marked[1].decode("latin-1")], 1, [b""]
    elif not possible:
        possible = [","] if suffix == ".csv" else ["\t"]
    starts: list[_Start] = []
    errors: list[BadInput] = []
    for delimiter in possible:
        comments = [
            Row(number, [cell_of(cell, delimiter) for cell in _split(line, delimiter)])
            for number, line in enumerate(heads[:skip], 1)
            if line.strip()
        ]
        try:
            rows, ends = _rows(lines[skip:], skip + 1, delimiter, name)
        except BadInput as error:  # quotation marks that do not suit this delimiter
            errors.append(error)
        else:
            starts.append(_Start(delimiter, comments, rows, ends))
    if not starts:
        raise errors[0]
    return starts


_COMMENT = re.compile(rb' *"?#')


def _split(line: bytes, delimiter: str) -> list[str]:
    """Return the cells of a comment; one that is not well quoted is read without its quotes."""
    try:
        rows, rest = split_rows(line + b"\n", 1, delimiter, "")
    except BadInput:
        rows, rest = [], line
    if rest:
        rows, _ = split_rows(line.replace(b'"', b"") + b"\n", 1, delimiter, "")
    return rows[0].cells


def _rows(lines: list[bytes], first: int, delimiter: str, name: str) -> tuple[list[Row], list[int]]:
    """Divide lines into rows that are not blank, each with the number of the line after it."""
    data = b"".join(line + b"\n" for line in lines)
    rows, rest = split_rows(data, first, delimiter, name)
    ends = [row.line for row in rows[1:]] + [first + len(lines) - rest.count(b"\n")]
    if not rows and rest:
        raise BadInput(
            f"{name}, line {first}: a quotation mark opens a cell there and is not closed."
        )
    found: list[Row] = []
    after: list[int] = []
    for row, end in zip(rows, ends, strict=False):
        cells = [cell_of(cell, delimiter) for cell in row.cells]
        if any(cells):
            found.append(Row(row.line, cells))
            after.append(end)
    return found, after


def _named(start: _Start, column: str, name: str) -> Layout | None:
    """Return the layout if a line names the column.

    Raises:
        BadInput: Several columns have that name.
    """
    wanted = _normal(column)
    for row in [*start.rows[:1], *reversed(start.comments)]:
        names = [_normal(cell) for cell in row.cells]
        if names.count(wanted) > 1:
            exact = [cell.strip() for cell in row.cells].count(column)
            if exact != 1:
                raise BadInput(
                    f"{name} has more than one column called '{printable(column)}'; "
                    f"its columns are {_list(row.cells)}."
                )
            names = [cell.strip() for cell in row.cells]
            wanted = column
        if wanted in names:
            return _layout(start, row, names.index(wanted), is_header=True)
    return None


def _numbered(start: _Start, place: int, name: str, parse: Callable[[str], object]) -> Layout:
    """Return the layout for the column at a place.

    Raises:
        BadInput: The first row can be data or names.
    """
    row = start.rows[0]
    names = [comment for comment in start.comments if len(comment.cells) == len(row.cells) > 1]
    for comment in names:
        if comment.cells[place] and not _is_name(comment.cells[place], parse):
            raise BadInput(
                f"{name}, line {comment.line}: the line may be a comment or a row. Remove it, or "
                "name the columns in the first line and choose one by name."
            )
    if names:
        return _layout(start, row, place, is_header=False)
    count = len(row.cells)
    if start.delimiter == "," and is_grouped(",".join(row.cells)):
        raise BadInput(
            f"{name}, line {row.line}: {','.join(row.cells)} may be one number with thousands "
            "separators, or a row. Remove the separators, or name the columns in the first line."
        )
    if count > 1 and row.cells in ([*map(str, range(count))], [*map(str, range(1, count + 1))]):
        raise BadInput(
            f"{name}, line {row.line}: {_list(row.cells)} may be numbers of columns or the first "
            "row. Give the columns names, or remove the line."
        )
    is_header = _is_name(row.cells[place], parse)
    if not is_header and _may_be_name(start, place, parse):
        raise BadInput(
            f"{name}, line {row.line}: '{row.cells[place]}' may be the name of the column or its "
            "first cell. Choose the column by name, or write its name above the line."
        )
    return _layout(start, row, place, is_header=is_header)


def _layout(start: _Start, row: Row, place: int, *, is_header: bool) -> Layout:
    after = start.ends[start.rows.index(row)] if row in start.rows else row.line + 1
    cells = row.cells
    return Layout(
        delimiter=start.delimiter,
        index=place,
        least=max(_width(cells), place + 1) if is_header else len(cells),
        most=len(cells),
        skip=(after if is_header else row.line) - 1,
    )


def _is_name(cell: str, parse: Callable[[str], object]) -> bool:
    """Return whether the first cell of a column is its name, not a UID or an invalid one."""
    has_letter, has_digit = any(map(str.isalpha, cell)), any(map(str.isdigit, cell))
    return has_letter and not has_digit and cell.lower() not in MISSING and not _is_uid(cell, parse)


_NUMBERED_NAME = re.compile(r"([^\W\d]+)[ _.-]*\d{1,4}")


def _may_be_name(start: _Start, place: int, parse: Callable[[str], object]) -> bool:
    """Return whether only the first cell of a column is like `pmid1`."""
    cells = [row.cells[place].lower() for row in start.rows if place < len(row.cells)]
    found = _NUMBERED_NAME.fullmatch(cells[0])
    if not found or not _is_uid(cells[0], parse):
        return False
    return not any(cell.startswith(found[1]) for cell in cells[1:])


def _is_uid(cell: str, parse: Callable[[str], object]) -> bool:
    try:
        parse(cell)
    except ValueError:
        return False
    return True


def _fits(layout: Layout, start: _Start) -> bool:
    """Return whether all rows of the sample have as many cells as a layout says."""
    rows = (row for row in start.rows if row.line > layout.skip)
    return all(layout.least <= len(row.cells) <= layout.most for row in rows)


def _no_column(starts: Sequence[_Start], name: str, column: str | None, place: int | None) -> str:
    header = max((start.header() for start in starts), key=len)
    if column is None:
        return (
            f"{name} has {_width(header)} columns ({_list(header)}): name the one with the UIDs "
            "with --ids-column, or give its number."
        )
    if place is not None:
        return f"{name} has {_width(header)} columns, so there is no column {column}."
    names = [cell.lstrip("#").strip() for cell in header]
    hint = nearest(column, names)
    if len(header) == 1 and re.search(r"\S[\s|:]+\S", header[0]):
        hint = " (columns are separated by tabs, semicolons or commas)"
    elif not hint and any(map(str.isdigit, header[0][:1])):
        hint = " (if the first line is data, give the number of the column)"
    return (
        f"{name} has no column called '{printable(column)}'{hint}; its columns are {_list(header)}."
    )


def _list(cells: Sequence[str]) -> str:
    named = ", ".join(printable(cell, 40) for cell in cells[:_NAMED])
    return named + (", …" if len(cells) > _NAMED else "")


def _width(cells: Sequence[str]) -> int:
    """Return the number of cells without empty ones at the end."""
    return max((place for place, cell in enumerate(cells, 1) if cell), default=0)


def _normal(cell: str) -> str:
    """Return the name of a column for a comparison: `#tax_id` and ` tax_id ` as tax_id."""
    name = clean(unicodedata.normalize("NFC", cell)).strip('"').removeprefix("#")
    return " ".join(name.split())
