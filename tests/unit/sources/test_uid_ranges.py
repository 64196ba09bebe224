"""Ranges of UIDs that divide a set of records: each record is in one, and few requests are sent."""

from __future__ import annotations

import doctest
from bisect import bisect_left, bisect_right

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.model.uids import MAX_UID
from harvester.sources import uid_ranges
from harvester.sources.uid_ranges import Known, Range, next_range


def _requests(records: list[int], high: int, most: int) -> int:
    """Divide a set completely; assert that ranges are adjacent and hold every record.

    Returns:
        The number of ranges asked about.
    """
    known, asked, found, done = Known(len(records), high, most), 0, 0, 0
    while (bounds := next_range(known)) is not None:
        assert bounds.low == done + 1
        assert bounds.low <= bounds.high <= MAX_UID
        count = bisect_right(records, bounds.high) - bisect_left(records, bounds.low)
        asked += 1
        known = known.with_count(bounds, count)
        if count <= most:
            found, done = found + count, bounds.high
    assert found == len(records)
    return asked


_ISLANDS = st.lists(
    st.tuples(st.integers(1, 2**40), st.integers(1, 300), st.integers(1, 50)), max_size=8
)
"""Where each begins, how many records it has, and how far apart those are."""


@given(islands=_ISLANDS, most=st.integers(1, 40), high=st.integers(1, 2**41))
def test_any_set_is_divided_completely(
    islands: list[tuple[int, int, int]], most: int, high: int
) -> None:
    records = sorted({at + n * step for at, count, step in islands for n in range(count)})
    asked = _requests(records, high, most)
    assert asked <= 64 + 50 * (len(records) // most + len(islands))


@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(50_000, 600_000),
    tilt=st.sampled_from([1.0, 0.7, 0.5]),
    low=st.sampled_from([1, 20_000_000, 35_000_000]),
)
def test_a_set_like_those_of_pubmed_costs_little_more_than_its_answers(
    seed: int, count: int, tilt: float, low: int
) -> None:
    """Random records, denser towards higher UIDs from some UID on."""
    draws = np.random.default_rng(seed).random(count) ** tilt
    records = np.unique((low + draws * (41_000_000 - low)).astype(np.int64)).tolist()
    asked = _requests(records, records[-1], 9_999)
    assert asked <= 1.5 * len(records) / 9_999 + 40


def test_a_whole_database_costs_hardly_more_than_its_answers() -> None:
    known, asked, most, last = Known(4_100_000, 4_000_000, 9_999), 0, 9_999, 4_100_000
    while (bounds := next_range(known)) is not None:
        asked += 1
        known = known.with_count(bounds, max(min(bounds.high, last) - bounds.low + 1, 0))
    assert asked <= 1.15 * last / most


@pytest.mark.parametrize("change", [-40, -1, 1, 40])
def test_a_wrong_count_ends_all_the_same(change: int) -> None:
    records = list(range(5, 5000, 3))
    known, found, asked = Known(len(records) + change, records[-1], 100), 0, 0
    while (bounds := next_range(known)) is not None:
        asked += 1
        count = bisect_right(records, bounds.high) - bisect_left(records, bounds.low)
        known = known.with_count(bounds, count)
        found += count if count <= known.most else 0
    assert found == len(records)
    assert asked < 60


def test_nothing_is_asked_when_all_records_are_found() -> None:
    assert next_range(Known(90, 10**9, 100)) == (1, 10**9)
    assert next_range(Known(0, 10**9, 100)) is None
    known = Known(150, 10**6, 100)
    first = next_range(known)
    assert first is not None
    known = known.with_count(first, 100)
    assert next_range(known) == (first.high + 1, 10**6)
    assert next_range(known.with_count(Range(first.high + 1, 10**6), 50)) is None


def test_each_counter_counts_misses_of_one_kind_in_a_row() -> None:
    known = Known(1000, 10_000, 100)
    counters = []
    for high, count in ((5000, 500), (2500, 250), (1250, 3), (1400, 2), (1900, 90)):
        known = known.with_count(Range(known.low, high), count)
        counters.append((known.too_full, known.too_thin))
    assert counters == [(1, 0), (2, 0), (0, 1), (0, 2), (0, 0)]


def test_the_example_in_the_module_is_what_happens() -> None:
    assert doctest.testmod(uid_ranges) == doctest.TestResults(failed=0, attempted=3)
