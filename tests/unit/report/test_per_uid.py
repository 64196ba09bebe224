"""The distribution of links per UID equals counts over the numbers."""

from __future__ import annotations

import statistics

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harvester.report.per_uid import distribution

numbers_of_links = st.lists(st.integers(0, 30) | st.integers(0, 3_000_000), min_size=1, max_size=99)


@given(numbers_of_links, st.integers(1, 40))
def test_counts_are_those_of_the_numbers(numbers: list[int], size: int) -> None:
    parts = [np.array(numbers[n : n + size]) for n in range(0, len(numbers), size)]
    found = distribution(parts)
    assert found is not None
    assert found.uids == len(numbers)
    assert found.most == max(numbers)
    assert found.mean == sum(numbers) / len(numbers)
    if found.median < 1 << 16:  # above, it is not told apart
        assert found.median == statistics.median_low(numbers)
    for one in found.bins:
        assert one.uids == sum(one.least <= number <= one.most for number in numbers)
    assert sum(one.uids for one in found.bins) == len(numbers)


def test_bins_are_single_numbers_then_ten_per_decade() -> None:
    found = distribution([np.arange(1, 10_001)])
    assert found is not None
    assert [one.least for one in found.bins[:10]] == list(range(1, 11))
    assert len(found.bins) == 10 + 3 * 10 - (found.bins[-1].least < 10_000)
    assert all(
        after.least == one.most + 1 for one, after in zip(found.bins, found.bins[1:], strict=False)
    )


def test_no_uids_have_no_distribution() -> None:
    assert distribution([]) is None
    assert distribution([np.empty(0, np.int64)]) is None
