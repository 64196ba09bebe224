"""UIDs as arguments of the methods of `Eutils`: the types of list that a job reads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from harvester.api.arguments import read_accessions, read_ids, read_uids
from harvester.errors import BadInput
from harvester.sources.memory import read_memory


def _never(text: str) -> None:
    raise AssertionError(text)


@pytest.mark.parametrize(
    "ids",
    [
        "3, 1,2,3",
        ["3", 1, np.int64(2), 3],
        [3.0, Decimal(1), " 2 "],
        np.array([3, 1, 2, 3]),
        pd.Series([3, 1, 2]),
        pl.Series(["3", "1", "2"], dtype=pl.Categorical),
        pa.chunked_array([[3], [1, 2]]),
        (uid for uid in (3, 1, 2)),
    ],
)
def test_uids_keep_their_order(ids: Any) -> None:
    assert read_uids("pubmed", ids, _never) == [3, 1, 2]


@pytest.mark.parametrize("one", [7, "7", np.int64(7), np.array(7), pa.scalar(7)])
def test_one_uid_is_a_list_of_it(one: Any) -> None:
    assert read_uids("pubmed", one, _never) == read_ids("gene", one) == [7]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([2, None, 1], dtype="Int64"),
        pd.Series([2.0, np.nan, 1.0]),
        pd.Series(["2", None, "1"]),
        pl.Series([2, None, 1]),
        np.array([2, None, "1"], object),
    ],
)
def test_gaps_of_a_column_are_left_out_with_a_warning(
    column: Any, caplog: pytest.LogCaptureFixture
) -> None:
    warnings: list[str] = []
    assert read_uids("pubmed", column, warnings.append) == read_ids("gene", column) == [2, 1]
    assert warnings == caplog.messages == ["ids: 1 gap is left out ('null')."]


@pytest.mark.parametrize(
    "wrong", [[1, None], [1.5], [True], ["x", "y"], None, {1: 2}, pd.DataFrame({"a": [1]}), b"1"]
)
def test_wrong_ids_are_refused_as_a_job_refuses_them(wrong: Any) -> None:
    with pytest.raises(BadInput, match=r"^ids") as refused:
        read_uids("pubmed", wrong, _never)
    assert "skip_bad" not in str(refused.value)
    if isinstance(wrong, list):
        with pytest.raises(BadInput) as same:
            read_memory(wrong, "pubmed")
        assert str(same.value).startswith(str(refused.value))


def test_accessions_keep_their_order() -> None:
    given = pd.Series(["NM_000546.6", "NM_000059.4", "NM_000546.6"])
    assert read_accessions(given, _never) == ["NM_000546.6", "NM_000059.4"]
