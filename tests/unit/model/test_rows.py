"""Run-length rows equal a table, after every operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from harvester.model.rows import RunLengthRows
from harvester.model.schemas import NEIGHBOR_LINKS

Row = dict[str, Any]

_LISTS = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.sampled_from(["pmc", "gene"]),
        st.lists(st.integers(1, 99), max_size=5),
    ),
    max_size=8,
)
"""UID, database linked to, and UIDs linked to."""


def _rows(lists: list[tuple[int, str, list[int]]], *, scores: bool = False) -> RunLengthRows:
    names = pa.array([db for _, db, _ in lists], pa.string()).dictionary_encode()
    per_list = {
        "dbfrom": pa.array(["pubmed"] * len(lists), pa.string()).dictionary_encode(),
        "from_uid": pa.array([uid for uid, _, _ in lists], pa.int64()),
        "dbto": names,
        "linkname": names,
    }
    per_row = {"to_uid": pa.array([to for _, _, found in lists for to in found], pa.int64())}
    if scores:
        per_row["score"] = pa.array([2 * to.as_py() for to in per_row["to_uid"]], pa.int64())
    counts = np.array([len(found) for _, _, found in lists], np.int64)
    return RunLengthRows(NEIGHBOR_LINKS, pa.table(per_list), pa.table(per_row), counts)


def _expected(lists: list[tuple[int, str, list[int]]], *, scores: bool = False) -> list[Row]:
    return [
        {"dbfrom": "pubmed", "from_uid": uid, "dbto": db, "linkname": db, "to_uid": to,
         "score": 2 * to if scores else None, "rank": rank}
        for uid, db, found in lists
        for rank, to in enumerate(found)
    ]  # fmt: skip


@given(_LISTS, st.booleans())
def test_a_table_has_all_rows_and_columns(
    lists: list[tuple[int, str, list[int]]], scores: bool
) -> None:
    rows = _rows(lists, scores=scores)
    table = rows.to_table()
    assert table.schema.equals(NEIGHBOR_LINKS)
    assert table.to_pylist() == _expected(lists, scores=scores)
    assert len(rows) == table.num_rows


@given(_LISTS, st.integers(1, 12))
def test_tables_of_some_size_have_the_same_rows(
    lists: list[tuple[int, str, list[int]]], size: int
) -> None:
    tables = list(_rows(lists).to_tables(size))
    assert [row for table in tables for row in table.to_pylist()] == _expected(lists)
    longest = max((len(found) for _, _, found in lists), default=0)
    assert all(table.num_rows <= max(size, longest) for table in tables)


@given(_LISTS, st.data())
def test_chosen_lists_and_rows_keep_what_they_had(
    lists: list[tuple[int, str, list[int]]], data: st.DataObject
) -> None:
    rows, expected = _rows(lists), _expected(lists)
    some = data.draw(st.lists(st.booleans(), min_size=len(lists), max_size=len(lists)))
    chosen = [one for one, keep in zip(lists, some, strict=True) if keep]
    assert rows.filter_lists(np.array(some, bool)).to_table().to_pylist() == _expected(chosen)
    some = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    left = rows.filter_rows(np.array(some, bool))
    assert left.to_table().to_pylist() == [
        row for row, keep in zip(expected, some, strict=True) if keep
    ]
    assert left.lengths.sum() == len(left)


@given(st.lists(st.tuples(_LISTS, st.booleans(), st.booleans()), min_size=1, max_size=4))
def test_rows_of_many_answers_together(
    answers: list[tuple[list[tuple[int, str, list[int]]], bool, bool]],
) -> None:
    """Some have scores; some have lost a row, and so have their own ranks."""
    parts, expected = [], []
    for lists, scores, ranked in answers:
        rows = _rows(lists, scores=scores)
        parts.append(rows.with_rank() if ranked else rows)
        expected += _expected(lists, scores=scores)
    assert RunLengthRows.concat(parts).to_table().to_pylist() == expected


@given(st.lists(st.integers(1, 99)))
def test_the_rows_of_a_table_are_themselves(uids: list[int]) -> None:
    table = pa.table({"uid": pa.array(uids, pa.int64())})
    rows = RunLengthRows.from_table(table)
    assert rows.to_table().equals(table)
    assert RunLengthRows.concat([rows, rows]).to_table()["uid"].to_pylist() == uids * 2
    even = np.array([uid % 2 == 0 for uid in uids], bool)
    assert rows.filter_lists(even).to_table()["uid"].to_pylist() == [u for u in uids if u % 2 == 0]
