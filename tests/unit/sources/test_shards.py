"""Shares of the input: disjoint, complete, nearly equal, and independent of other UIDs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harvester.model import uids
from harvester.sources.shards import mixed, share


def test_the_hash_is_splitmix64() -> None:
    """The first outputs of SplitMix64 with seed 1234567, from its reference implementation.

    Its state grows by the constant with each output, and the mix is of the state.
    """
    states = np.array([1234567 + n * 0x9E3779B97F4A7C15 for n in range(1)], np.uint64)
    assert mixed(states.view(np.int64)).tolist() == [6457827717110365317]


@pytest.mark.parametrize("count", [2, 3, 8, 97])
def test_shares_of_uids_are_a_partition(count: int) -> None:
    listed = uids.as_set([*range(1, 20_001), 2**62, 2**63 - 1])
    shares: list[Any] = [share(listed, index, count) for index in range(1, count + 1)]
    assert uids.union(shares) == listed
    assert sum(map(len, shares)) == len(listed)
    assert max(map(len, shares)) < 1.4 * len(listed) / count
    fewer = uids.as_set(range(500, 900))
    for index, before in enumerate(shares, 1):
        assert share(fewer, index, count) == before & fewer


def test_shares_of_accessions_are_a_partition() -> None:
    listed = [f"NM_{n:09}.1" for n in range(3000)]
    shares = [list(share(listed, index, 3)) for index in (1, 2, 3)]
    assert sorted(text for one in shares for text in one) == listed
    assert all(850 < len(one) < 1150 for one in shares)
    for index, before in enumerate(shares, 1):
        assert share(listed[::7], index, 3) == [text for text in listed[::7] if text in before]


def test_folders_of_before_keep_their_equal_pieces() -> None:
    assert share(["a", "b", "c", "d"], 2, 2, by_rank=True) == ["c", "d"]
    assert list(share(uids.as_set(range(1, 11)), 3, 3, by_rank=True)) == [7, 8, 9, 10]
