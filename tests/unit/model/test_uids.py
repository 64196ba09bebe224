"""Sets of UIDs: algebra, shares, batches, bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.model import uids
from harvester.model.uids import MAX_UID, Cursor

_SETS = st.sets(
    st.one_of(st.integers(1, 500), st.integers(2**31 - 3, 2**31 + 3), st.integers(1, MAX_UID)),
    max_size=80,
)


def _members(found: uids.UidSet) -> list[int]:
    return [int(uid) for uid in found]


@given(_SETS, _SETS)
def test_union_and_difference_are_those_of_sets(one: set[int], other: set[int]) -> None:
    a, b = uids.as_set(one), uids.as_set(other)
    assert _members(a | b) == sorted(one | other)
    assert _members(a - b) == sorted(one - other)
    assert len(a - b) == len(one - other)


@given(st.lists(st.integers(1, MAX_UID), max_size=50))
def test_an_array_and_its_numbers_make_the_same_set(members: list[int]) -> None:
    array = np.array(members, np.int64)
    assert uids.as_set(array) == uids.as_set(members)
    assert _members(uids.as_set(array)) == sorted(set(members))


@given(_SETS)
def test_an_array_of_a_set_is_ascending_and_int64(members: set[int]) -> None:
    array = uids.as_array(uids.as_set(members))
    assert array.dtype == np.int64
    assert array.tolist() == sorted(members)


@given(_SETS)
def test_a_set_survives_as_bytes(members: set[int]) -> None:
    kept = uids.load(uids.dump(uids.as_set(members)))
    assert _members(kept) == sorted(members)


def test_a_dense_set_takes_little_room() -> None:
    assert len(uids.dump(uids.as_set(np.arange(1, 1_000_001, dtype=np.int64)))) < 1_000


@given(_SETS, st.integers(1, 12))
def test_shares_are_equal_and_together_the_whole_once(members: set[int], count: int) -> None:
    whole = uids.as_set(members)
    shares = [_members(uids.shard(whole, index, count)) for index in range(1, count + 1)]
    assert [uid for share in shares for uid in share] == sorted(members)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@given(_SETS, st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_batches_of_changing_size_cover_the_set_once_in_order(
    members: set[int], sizes: list[int]
) -> None:
    cursor = Cursor(uids.as_set(members))
    taken: list[int] = []
    for size in sizes:
        assert len(cursor) == len(members) - len(taken)
        batch = cursor.take(size).tolist()
        assert len(batch) == min(size, len(members) - len(taken))
        taken += batch
    assert taken == sorted(members)[: len(taken)]
    assert _members(cursor.rest()) == sorted(members)[len(taken) :]


def test_an_empty_set_gives_empty_batches() -> None:
    cursor = Cursor(uids.as_set())
    assert not cursor
    assert cursor.take(10).tolist() == []


@pytest.mark.parametrize("count", [1, 7, 1000])
def test_more_shares_than_uids_leave_some_empty(count: int) -> None:
    whole = uids.as_set([5, 6])
    found = [_members(uids.shard(whole, index, count)) for index in range(1, count + 1)]
    assert sorted(uid for share in found for uid in share) == [5, 6]
