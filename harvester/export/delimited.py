"""csv and tsv: one line per row, with the names of the columns in the first.

UTF-8, line ends LF. A cell is quoted if it holds a quote or the separator (RFC 4180). Control
characters in texts become blanks, and a text that a spreadsheet would run as a formula gets an
apostrophe before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.export.table import table_of
from harvester.export.text import batches, inert, quoted, texts, write_lines

if TYPE_CHECKING:
    from harvester.export import Options
    from harvester.export.destination import Destination
    from harvester.export.harvests import Harvests


def write_csv(harvests: Harvests, to: Destination, options: Options) -> None:
    """Write comma-separated text."""
    _write(harvests, to, options, ",")


def write_tsv(harvests: Harvests, to: Destination, options: Options) -> None:
    """Write tab-separated text."""
    _write(harvests, to, options, "\t")


def _write(harvests: Harvests, to: Destination, options: Options, separator: str) -> None:
    schema, tables = table_of(harvests, to, options)
    with to.stream() as stream:
        names = cells(pa.array(schema.names), separator).to_pylist()
        stream.write((separator.join(names) + "\n").encode())
        for batch in batches(tables):
            write_lines(stream, [cells(one, separator) for one in batch.columns], separator)


def cells(column: pa.Array, separator: str) -> pa.Array:
    """Return the values of a column as cells; nulls stay null.

    Args:
        column: of any type that rows of links have.
        separator: separator of the cells.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return cells(column.dictionary, separator).take(column.indices)
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return texts(column)
    return quoted(inert(texts(column)), separator)
