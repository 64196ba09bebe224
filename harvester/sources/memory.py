"""UIDs and accessions that a program has in memory: lists, ranges, arrays and columns.

Arrays of numpy, pandas, polars and pyarrow are read through Arrow, without a Python object per
UID. Gaps in them (null, NaN) are left out with a warning, as in a table. In a list, each value has
to be a UID. Jobs and the methods of `Eutils` read them by the same rules.
"""

from __future__ import annotations

import math
import numbers
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from harvester.model import uids
from harvester.sources.files import accession_or_gi
from harvester.sources.notation import UidParser, display_word
from harvester.sources.parquet import EXACT, ROWS, ArrowBlock, plain
from harvester.sources.rejected import BadEntries
from harvester.sources.tables import parse_cells, parse_in_bulk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from harvester.model.uids import UidSet
    from harvester.sources.rejected import Reject, Warn
    from harvester.sources.tables import Cells

T = TypeVar("T")

NAME = "ids"
"""Name of the argument, for errors: `ids[3]: ...`."""

_SKIP = "set skip_bad"
"""The option that leaves wrong values out of a job, for errors."""

_ARRAYS = ("__arrow_c_stream__", "__arrow_c_array__", "__arrow_array__", "dtype")
"""Attributes of objects that Arrow reads as a whole."""

_UNREADABLE = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)


def read_memory(
    values: Any, dbfrom: str, reject: Reject | None = None, warn: Warn = lambda _: None
) -> UidSet:
    """Return the UIDs in an array or an iterable.

    Args:
        values: an array or column of whole numbers or texts, or an iterable of them.
        dbfrom: database of the UIDs; decides which prefixes (as in PMID:1) are accepted.
        reject: called with each value that is not a UID, which is left out; None makes it an error.
        warn: called with a sentence if there are gaps.

    Raises:
        BadInput: values are not UIDs; names their places, counted from 0.
    """
    if isinstance(values, range) and values and min(values[0], values[-1]) > 0:
        return uids.as_set(values)
    parse = UidParser(dbfrom)
    bad = BadEntries(NAME, "", reject, warn, _SKIP)
    found = uids.as_set()
    for block in _blocks(values, bad):
        column = block.column()
        read = None if column is None else parse_in_bulk(column, bad)
        if read is None:
            read = np.fromiter(parse_cells(block, parse, bad), np.int64)
        found |= uids.as_set(np.sort(read))
    bad.finish()
    return found


def read_memory_accessions(
    values: Any, reject: Reject | None = None, warn: Warn = lambda _: None
) -> list[str]:
    """Return the accessions in an array or an iterable, each once; see `read_memory`."""
    return sorted(read_in_order(values, accession_or_gi, reject, warn, _SKIP))


def read_in_order(
    values: Any,
    parse: Callable[[str], T],
    reject: Reject | None = None,
    warn: Warn = lambda _: None,
    skip: str = "",
) -> list[T]:
    """Return the parsed values of an array or an iterable, each once, in order.

    Args:
        values: as for `read_memory`.
        parse: parses a text; raises ValueError for a wrong one.
        reject: as for `read_memory`.
        warn: as for `read_memory`.
        skip: what leaves wrong values out, for the error; empty if nothing does.

    Raises:
        BadInput: values are wrong; names their places, counted from 0.
    """
    bad = BadEntries(NAME, "", reject, warn, skip)
    found: dict[T, None] = {}
    for block in _blocks(values, bad):
        found.update(dict.fromkeys(parse_cells(block, parse, bad)))
    bad.finish()
    return list(found)


def _blocks(values: Any, bad: BadEntries) -> Iterator[Cells]:
    """Yield the values in blocks.

    Raises:
        BadInput: an array holds neither numbers nor texts.
    """
    array = _as_arrow(values)
    if array is None:
        yield from _listed_blocks(values, gaps=_is_array(values))
        return
    place = 0
    for chunk in array.chunks if isinstance(array, pa.ChunkedArray) else [array]:
        for start in range(0, len(chunk), ROWS):
            cells = plain(chunk.slice(start, ROWS), NAME)
            if cells.null_count:
                bad.add_missing("null", cells.null_count)
            yield ArrowBlock(cells, place)
            place += len(cells)


def _as_arrow(values: Any) -> pa.Array | pa.ChunkedArray | None:
    """Return an array or column as Arrow has it; None for a list, or values of several types."""
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if not _is_array(values):
        return None
    try:
        if hasattr(values, "__arrow_c_stream__"):
            return pa.chunked_array(values)
        return pa.array(values, from_pandas=True)
    except _UNREADABLE:
        return None


def _is_array(values: object) -> bool:
    return any(hasattr(values, name) for name in _ARRAYS)


def _listed_blocks(values: Iterable[Any], *, gaps: bool) -> Iterator[Cells]:
    left, place = iter(values), 0
    while block := list(islice(left, ROWS)):
        yield _ListedBlock(block, place, gaps=gaps)
        place += len(block)


class _ListedBlock:
    """Some values of a list.

    Args:
        values: the values.
        place: of the first in the list, from 0.
        gaps: whether they may say that there is no value, as in a column.
    """

    def __init__(self, values: list[Any], place: int, *, gaps: bool) -> None:
        self._values = values
        self._place = place
        self._gaps = gaps

    def column(self) -> pa.Array | None:
        """Return them as an array, if all are whole numbers or all are texts."""
        try:
            found = pa.array(self._values)
        except _UNREADABLE:
            return None
        return found if found.type in (pa.int64(), pa.string()) and not found.null_count else None

    def cells(self, bad: BadEntries) -> Iterator[tuple[int, str]]:
        """Yield those that may be UIDs as texts, each with its place; collect the others."""
        for place, value in enumerate(self._values, self._place):
            if text := _text(value):
                yield place, text
            elif self._gaps and _is_gap(value):
                bad.add_missing("null")
            else:
                shown = display_word(str(value)) if isinstance(value, str) else repr(value)
                bad.add(place, shown, f"{shown} is not a UID; UIDs are whole numbers or texts.")


def _is_gap(value: object) -> bool:
    """Return whether a value of a column says that there is none: None, NaN, pandas' NA."""
    try:
        return bool(pa.array([value], from_pandas=True).null_count)
    except _UNREADABLE:
        return False


def _text(value: object) -> str | None:
    """Return a whole number or a text as text; None for anything else."""
    if isinstance(value, bool | np.bool_):
        return None
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real | Decimal):
        number, bits = float(value), 8 * getattr(value, "itemsize", 8)  # of numpy's floats
        exact = math.isfinite(number) and abs(number) < EXACT.get(bits, EXACT[64])
        return f"{number:.0f}" if exact and number.is_integer() else None
    if isinstance(value, pa.Scalar):
        return _text(value.as_py())
    return value.strip() if isinstance(value, str) else None
