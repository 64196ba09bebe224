"""Rows counted for a progress display."""

from __future__ import annotations

import pyarrow as pa

from harvester import events
from harvester.store.counted import counted


def test_all_tables_come_and_the_last_count_is_the_total() -> None:
    tables = [pa.table({"a": range(size)}) for size in (3, 1, 6)]
    told: list[events.Event] = []
    assert list(counted(tables, 10, told.append, "row")) == tables
    assert told == [events.ReadProgress(done, 10, "row") for done in (0, 3, 4, 10)]


def test_many_tables_are_a_bounded_number_of_events() -> None:
    told: list[events.Event] = []
    tables = (pa.table({"a": [1]}) for _ in range(5_000))
    assert sum(table.num_rows for table in counted(tables, 5_000, told.append)) == 5_000
    assert len(told) <= 201
    assert told[-1] == events.ReadProgress(5_000, 5_000)


def test_of_nothing_there_is_one_event() -> None:
    told: list[events.Event] = []
    assert list(counted([], 0, told.append)) == []
    assert told == [events.ReadProgress(0, 0)]
