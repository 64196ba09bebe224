"""Rows that do not fit in memory are sorted; none is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from harvester.export import sorting
from harvester.export.sorting import sort_rows

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("kind", [pa.int64(), pa.string()])
@pytest.mark.parametrize("distinct", [1, 7, 5000])
def test_runs_are_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: pa.DataType, distinct: int
) -> None:
    monkeypatch.setattr(sorting, "RUN", 500)
    monkeypatch.setattr(sorting, "HEADS", 700)
    random = np.random.default_rng(distinct)
    tables = []
    for number, rows in enumerate([0, 1, 900, 1234, 3]):
        names = pa.array([f"n{number}", "same"])
        codes = pa.array(random.integers(0, 2, rows).astype(np.int32))
        keys = pa.array(random.integers(0, distinct, rows)).cast(kind)
        tables.append(
            pa.table(
                {
                    "key": keys,
                    "name": pa.DictionaryArray.from_arrays(codes, names),
                    "other": pa.array(np.arange(rows)),
                }
            )
        )
    expected = sorted(
        (tuple(row.values()) for table in tables for row in table.to_pylist()), key=repr
    )
    found = [
        tuple(row.values())
        for table in sort_rows(tables, "key", tmp_path, 3000)
        for row in table.to_pylist()
    ]
    assert [row[0] for row in found] == sorted(row[0] for row in found)
    assert sorted(found, key=repr) == expected
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_sorted_to_nothing(tmp_path: Path) -> None:
    assert list(sort_rows([], "key", tmp_path, 0)) == []
