"""UIDs and accessions in memory, in the types that researchers use."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from harvester import Job
from harvester.errors import BadInput
from harvester.job.in_memory import InMemory
from harvester.model import uids
from harvester.sources import memory
from harvester.sources.memory import read_memory, read_memory_accessions

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.sources.rejected import Rejected

ONE_TO_THREE: list[Callable[[], Any]] = [
    lambda: [3, 1, 2, 3],
    lambda: ("1", " 2 ", "PMID: 3"),
    lambda: {1, 2, 3},
    lambda: [1.0, 2, np.int64(3)],
    lambda: range(1, 4),
    lambda: range(3, 0, -1),
    lambda: (uid for uid in (1, 2, 3)),
    lambda: dict.fromkeys((1, 2, 3)).keys(),
    lambda: "1, 2,3",
    lambda: np.array([3, 2, 1], np.uint8),
    lambda: np.array([3.0, 2.0, 1.0]),
    lambda: np.array(["1", "2", "3"]),
    lambda: np.array([1, "2", 3.0], object),
    lambda: pd.Series([1, 2, 3], index=[7, 7, 7]),
    lambda: pd.Series([1, "2", 3], dtype=object),
    lambda: pd.Series(["1", "2", "3"]),
    lambda: pd.Index([1, 2, 3]),
    lambda: pd.Categorical(["1", "2", "3"]),
    lambda: pl.Series([1, 2, 3]),
    lambda: pl.Series(["1", "2", "3"]),
    lambda: pa.array([1, 2, 3], pa.uint64()),
    lambda: pa.chunked_array([["1"], ["2", "3"]]),
    lambda: [pa.scalar(1), pa.scalar(2), pa.scalar(3)],
    lambda: [Decimal(1), Decimal("2.0"), 3],
    lambda: pl.Series(["1", "2", "3"], dtype=pl.Categorical),
]


def _read(values: Any, **more: Any) -> list[int]:
    return list(read_memory(InMemory(values).values, "pubmed", **more))


@pytest.mark.parametrize("given", ONE_TO_THREE)
def test_the_usual_types_are_read(given: Callable[[], Any]) -> None:
    assert _read(given()) == [1, 2, 3]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, None, 2]),
        pd.Series([1, None, 2], dtype="Int64"),
        pd.Series(["1", None, "2"]),
        pl.Series([1, None, 2]),
        pa.array([1, None, 2]),
        np.array([1.0, np.nan, 2.0]),
        np.array([1, None, "2"], object),
        pd.Series([1, pd.NA, "2"], dtype=object),
        pd.Series(["1", None, "2"], dtype="category"),
        pl.Series(["1", None, "2"], dtype=pl.Categorical),
    ],
)
def test_gaps_in_a_column_are_left_out_with_a_warning(column: Any) -> None:
    warnings: list[str] = []
    assert _read(column, warn=warnings.append) == [1, 2]
    assert warnings == ["ids: 1 gap is left out ('null')."]


@pytest.mark.parametrize(
    "values",
    [
        [np.float32(34248085)],
        np.array([34248085], np.float32),
        pa.array([2.0**24], pa.float32()),
        np.array([2049], np.float16),
        [np.float16(2049)],
        [2.0**53],
    ],
)
def test_a_float_that_may_stand_for_another_number_is_refused(values: Any) -> None:
    with pytest.raises(BadInput):
        _read(values)


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ([1, None], "ids[1]: None"),
        ([1, True], "ids[1]: True"),
        ([float("nan")], "ids[0]: nan"),
        ([1, 2.5], "ids[1]: 2.5"),
        ([2.0**53 + 2], "ids[0]: 9007199254740994.0"),
        ([b"1"], "ids[0]: b'1'"),
        ([[1]], "ids[0]: [1]"),
        ([1, 2**63], "ids[1]: '9223372036854775808'"),
        (["1", "NM_000546.6"], "ids[1]: 'NM_000546.6'"),
        (["1,234"], "ids[0]: '1,234'"),
        (np.array([1, 0]), "ids[1]: '0'"),
        (pd.Series([1, 2, -3], index=[9, 8, 7]), "ids[2]: '-3'"),
        (pl.Series([1.5]), "ids[0]: '1.5'"),
        (pa.chunked_array([[1], [0]]), "ids[1]: '0'"),
        (range(3), "ids[0]: '0'"),
    ],
)
def test_the_place_of_a_wrong_value_is_named(values: Any, place: str) -> None:
    with pytest.raises(BadInput) as caught:
        _read(values)
    assert str(caught.value).startswith(f"{place} is not a UID; ")


def test_places_are_counted_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "ROWS", 3)
    for values in ([1, 2, 3, 4, "x"], np.array(["1", "2", "3", "4", "x"])):
        with pytest.raises(BadInput, match=r"^ids\[4\]: 'x'"):
            _read(values)


@pytest.mark.parametrize(
    "values", [np.array([True]), pa.array([b"1"]), pd.Series([pd.Timestamp(0)])]
)
def test_columns_of_other_types_are_refused(values: Any) -> None:
    with pytest.raises(BadInput, match=r"^ids: the column holds (bool|binary|timestamp.*) values"):
        _read(values)


@pytest.mark.parametrize(
    "values",
    [pd.DataFrame({"a": [1]}), pl.DataFrame({"a": [1]}), pa.table({"a": [1]}), {"a": 1},
     np.array([[1]])],
)  # fmt: skip
def test_a_table_is_refused_with_the_remedy(values: Any) -> None:
    with pytest.raises(ValueError, match=r"is not a list of UIDs; give one column, like df"):
        InMemory(values)


def test_the_name_of_a_file_is_refused_with_the_remedy() -> None:
    job = Job(link={"dbfrom": "pubmed"}, output={"path": "out"})
    with pytest.raises(
        BadInput, match=r"^ids: 'pmids.txt' is not a UID; .* source={'ids': 'FILE'}"
    ):
        job.with_uids("pmids.txt")


def test_wrong_values_can_be_left_out() -> None:
    rejected: list[Rejected] = []
    assert _read([1, "x", 2, None], reject=rejected.append) == [1, 2]
    assert [(one.file, one.line, one.text) for one in rejected] == [
        ("ids", 1, "x"),
        ("ids", 3, "None"),
    ]


def test_all_wrong_values_are_counted() -> None:
    with pytest.raises(BadInput) as caught:
        _read(["x", 1, "y"])
    assert "In all, 2 entries are wrong: [0] 'x', [2] 'y'." in str(caught.value)


@pytest.mark.parametrize(
    "values",
    [["nm_000546.6", "P04637"], pd.Series(["P04637", None, "NM_000546.6"]),
     pl.Series(["P04637", "NM_000546.6"])],
)  # fmt: skip
def test_accessions_are_read(values: Any) -> None:
    assert read_memory_accessions(values) == ["NM_000546.6", "P04637"]


def test_a_wrong_accession_is_named() -> None:
    with pytest.raises(BadInput, match=r"^ids\[1\]: 'a b' is not an accession"):
        read_memory_accessions(["P04637", "a b"])


def test_an_array_is_read_without_an_object_per_uid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are read one by one only if the check of the whole array fails."""
    monkeypatch.setattr(memory, "parse_cells", lambda *_: pytest.fail("read one by one"))
    members = np.random.default_rng(1).permutation(np.arange(1, 300_001))
    assert read_memory(members, "pubmed") == uids.as_set(np.arange(1, 300_001))
    assert read_memory(range(1, 38_000_001), "pubmed") == uids.as_set(range(1, 38_000_001))


def test_an_iterator_is_read_once_and_a_job_can_be_run_again() -> None:
    job = Job(link={"dbfrom": "pubmed"}, output={"path": "out"}, source={"uids": iter([1, 2])})
    assert list(job.source.uids.values) == list(job.source.uids.values) == [1, 2]


def test_a_job_prints_the_number_of_its_uids() -> None:
    job = Job(
        link={"dbfrom": "pubmed"}, output={"path": "out"}, source={"uids": np.arange(1, 5_001)}
    )
    assert "uids=<5,000 UIDs in memory>" in repr(job)
    assert len(repr(job)) < 3000


def test_a_job_has_one_source() -> None:
    job = Job(link={"dbfrom": "pubmed"}, output={"path": "out"}, source={"query": "asthma"})
    with pytest.raises(BadInput, match=r"^The job has a source already \(search\); leave out ids="):
        job.with_uids([1])
    with pytest.raises(ValueError, match="uids and query are different sources"):
        Job(
            link={"dbfrom": "pubmed"},
            output={"path": "out"},
            source={"query": "asthma", "uids": [1]},
        )
