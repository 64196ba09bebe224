"""xlsx: one worksheet, for harvests that fit into Excel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from harvester.errors import BadInput
from harvester.export import need
from harvester.export.table import table_of
from harvester.export.text import batches, clean, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests

ROWS = 1_048_576
"""Rows of a worksheet, the header included (Excel specifications and limits)."""

COLUMNS = 16_384
"""Columns of a worksheet."""

CELL = 32_767
"""Characters of a cell, in UTF-16 units."""

_EXACT = 2**53
"""Excel keeps numbers as float64: above this, integers are written as text."""

_WIDTH = 14
"""Width of the columns, in characters."""

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def write(harvests: Harvests, to: Destination, options: Options) -> None:
    """Write an Excel workbook.

    Raises:
        BadInput: there are more rows, columns or characters than Excel can hold.
    """
    need("xlsxwriter")
    import xlsxwriter  # noqa: PLC0415

    if not options.wide and len(harvests.readers) == 1:
        _check(harvests.link_count, harvests)
    schema, tables = table_of(harvests, to, options)
    if len(schema) > COLUMNS:
        raise BadInput(f"Excel holds {COLUMNS:,} columns, not {len(schema):,}. Use --to csv.")
    book = xlsxwriter.Workbook(str(to.path), _OPTIONS | {"tmpdir": str(to.scratch)})
    sheet = book.add_worksheet("wide" if options.wide else "links")
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(schema) - 1, _WIDTH)
    bold = book.add_format({"bold": True})
    for number, name in enumerate(map(clean, schema.names)):
        sheet.write_string(0, number, name, bold)
    try:
        rows = _write_rows(sheet, schema.names, tables, harvests)
    except BaseException:
        sheet.row_data_fh.close()  # a temporary file, which close() of the book would close
        raise
    if rows:
        sheet.autofilter(0, 0, rows, len(schema) - 1)
    book.close()


def _write_rows(
    sheet: Any, names: Sequence[str], tables: Iterable[pa.Table], harvests: Harvests
) -> int:
    """Write rows below the header; return their number."""
    row = 0
    for batch in batches(tables):
        _check(row + len(batch), harvests)
        columns = [_values(one) for one in batch.columns]
        for values in zip(*columns, strict=True):
            row += 1
            for number, value in enumerate(values):
                if value is not None:
                    _write_cell(sheet, row, number, value, names[number])
    return row


def _check(rows: int, harvests: Harvests) -> None:
    if rows >= ROWS:
        raise BadInput(
            f"Excel holds {ROWS - 1:,} rows below the header, fewer than are in {harvests.names}. "
            "Use --to csv."
        )


def _values(column: pa.Array) -> list[Any]:
    """Return integers and truth values as they are, everything else as text."""
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        return column.to_pylist()  # type: ignore[no-any-return]
    return texts(column).to_pylist()  # type: ignore[no-any-return]


def _write_cell(sheet: Any, row: int, column: int, value: Any, name: str) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int):
        if -_EXACT <= value <= _EXACT:
            sheet.write_number(row, column, value)
        else:
            sheet.write_string(row, column, str(value))
    else:
        if len(value) > CELL // 2 and len(value.encode("utf-16-le")) > 2 * CELL:
            raise BadInput(
                f"Row {row + 1}, column {name} has {len(value):,} characters; a cell of Excel "
                f"holds {CELL:,}. Use --to csv."
            )
        sheet.write_string(row, column, value)
