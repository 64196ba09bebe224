"""Rows as lines of text, made by column."""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from harvester.model import lazy_compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ROWS = 1 << 16
"""Number of rows joined at a time. Their text fits the processor's caches."""

LIST_SEPARATOR = ";"
"""Separator of the values of a list in one cell."""

_CONTROLS = r"[\x{0}-\x{1f}\x{7f}-\x{9f}\x{2028}\x{2029}\x{fffe}\x{ffff}]+"
"""Line ends, tabs, what moves the cursor of a terminal, and what no XML may hold."""

_FORMULA = r"^([ \x{a0}\x{3000}]*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}])"
"""Beginning of a cell that a spreadsheet runs as a formula. Some skip blanks, and treat the wide
characters of East Asian texts like the narrow ones."""

_CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]+")


def batches(tables: Iterable[pa.Table]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of tables in batches of at most `ROWS`, without empty ones."""
    for table in tables:
        whole = table.unify_dictionaries().combine_chunks()
        for batch in whole.to_batches(max_chunksize=ROWS):
            if batch.num_rows:
                yield batch


def clean(text: str) -> str:
    """Return a text without control characters."""
    return _CONTROL_CHARACTERS.sub(" ", text)


def texts(column: pa.Array) -> pa.Array:
    """Return the values of a column as text without control characters; nulls stay null."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        names = texts(column.dictionary)
        return names.take(column.indices)
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return column.cast(pa.string())
    if pa.types.is_list(kind):
        if not pa.types.is_string(kind.value_type):
            column = column.cast(pa.list_(pa.string()))
        column = pc.binary_join(column, LIST_SEPARATOR)
    return pc.replace_substring_regex(column.cast(pa.string()), _CONTROLS, " ")


def inert(column: pa.Array) -> pa.Array:
    """Return texts with an apostrophe before those that a spreadsheet would run as formulas."""
    if not pc.any(pc.match_substring_regex(column, _FORMULA)).as_py():
        return column
    return pc.replace_substring_regex(column, _FORMULA, r"'\1")


def quoted(column: pa.Array, separator: str) -> pa.Array:
    """Return texts in double quotes where they hold a quote or the separator (RFC 4180)."""
    needs = pc.match_substring_regex(column, f'["{re.escape(separator)}]')
    if not pc.any(needs).as_py():
        return column
    doubled = pc.replace_substring(column, '"', '""')
    return pc.if_else(needs, pc.binary_join_element_wise('"', doubled, '"', ""), column)


def write_lines(stream: IO[bytes], columns: Sequence[pa.Array | str], separator: str) -> None:
    """Write one line per row; nulls are empty.

    Args:
        stream: takes UTF-8.
        columns: texts of equal length; a `str` is the same in every row. One at least is no `str`.
        separator: written between the columns.
    """
    *others, last = columns
    options = {"null_handling": "replace", "null_replacement": ""}
    ended = pc.binary_join_element_wise(last, "\n", "", **options)
    if others:
        ended = pc.binary_join_element_wise(*others, ended, separator, **options)
    write_texts(stream, ended)


def write_texts(stream: IO[bytes], column: pa.Array) -> None:
    """Write the texts of a column one after the other; they are contiguous in memory."""
    _, offsets, text = column.buffers()
    if text is None:
        return
    first, last = (
        int.from_bytes(offsets[4 * at : 4 * at + 4].to_pybytes(), "little", signed=True)
        for at in (column.offset, column.offset + len(column))
    )
    stream.write(memoryview(text)[first:last])
