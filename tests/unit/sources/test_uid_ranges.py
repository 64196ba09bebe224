"""Cutting a set of records into ranges: every record in one of them, and few questions."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.model.uids import MAX_UID
from harvester.sources.uid_ranges import Slices


def _cut(records: list[int], high: int, most: int) -> int:
    """Cut a set to its end, seeing that each range is next to the last and every record is met.

    Returns:
        How many ranges were asked about.
    """
    slices, asked, met, done = Slices(len(records), high, most), 0, 0, 0
    while (bounds := slices.next()) is not None:
        low, upto = bounds
        assert low == done + 1
        assert low <= upto <= MAX_UID
        count = bisect_right(records, upto) - bisect_left(records, low)
        asked += 1
        if slices.answered(upto, count):
            assert count <= most
            met, done = met + count, upto
    assert met == len(records)
    return asked


_ISLANDS = st.lists(
    st.tuples(st.integers(1, 2**40), st.integers(1, 300), st.integers(1, 50)), max_size=8
)
"""Where each begins, how many records it has, and how far apart those are."""


@given(islands=_ISLANDS, most=st.integers(1, 40), high=st.integers(1, 2**41))
def test_any_set_is_cut_whole(islands: list[tuple[int, int, int]], most: int, high: int) -> None:
    records = sorted({at + n * step for at, count, step in islands for n in range(count)})
    asked = _cut(records, high, most)
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
    """Records at random, more of them the later it gets, from some year on."""
    draws = np.random.default_rng(seed).random(count) ** tilt
    records = np.unique((low + draws * (41_000_000 - low)).astype(np.int64)).tolist()
    asked = _cut(records, records[-1], 9_999)
    assert asked <= 1.5 * len(records) / 9_999 + 40


def test_a_whole_database_costs_hardly_more_than_its_answers() -> None:
    slices, asked, most, last = Slices(4_100_000, 4_000_000, 9_999), 0, 9_999, 4_100_000
    while (bounds := slices.next()) is not None:
        asked += 1
        slices.answered(bounds[1], max(min(bounds[1], last) - bounds[0] + 1, 0))
    assert asked <= 1.15 * last / most


@pytest.mark.parametrize("change", [-40, -1, 1, 40])
def test_a_count_that_is_wrong_ends_all_the_same(change: int) -> None:
    records = list(range(5, 5000, 3))
    slices, met, asked = Slices(len(records) + change, records[-1], 100), 0, 0
    while (bounds := slices.next()) is not None:
        asked += 1
        count = bisect_right(records, bounds[1]) - bisect_left(records, bounds[0])
        if slices.answered(bounds[1], count):
            met += count
    assert met == len(records)
    assert asked < 60


def test_an_empty_half_is_not_asked_about() -> None:
    """All records below 1,000, and the first range holds them: nothing is left to ask for."""
    slices = Slices(90, 10**9, 100)
    assert slices.next() == (1, 10**9)
    slices = Slices(150, 10**6, 100)
    _, high = slices.next() or (0, 0)
    assert slices.answered(high, 100)
    assert slices.next() == (high + 1, 10**6)
    assert slices.answered(10**6, 50)
    assert slices.next() is None
