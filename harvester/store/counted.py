"""Count rows that are read from a harvest, for a progress display."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester import events

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

_STEPS = 200
"""Events of progress per pass over the rows."""


def counted(
    tables: Iterable[pa.Table], total: int, emit: events.Listener, noun: str = "link"
) -> Iterator[pa.Table]:
    """Yield tables, and emit how many rows were read.

    Args:
        tables: rows.
        total: rows of all tables.
        emit: receives the events.
        noun: what a row is.
    """
    done = told = 0
    emit(events.ReadProgress(0, total, noun))
    for table in tables:
        yield table
        done += table.num_rows
        if done - told >= total / _STEPS:
            told = done
            emit(events.ReadProgress(done, total, noun))
