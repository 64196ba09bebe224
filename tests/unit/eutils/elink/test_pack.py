"""A list number and a UID in one integer: distinct pairs make distinct numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harvester.eutils.elink.neighbor_rows import LIST_BITS, UID_BITS, fits, pack

_PAIRS = st.lists(
    st.tuples(st.integers(0, (1 << LIST_BITS) - 1), st.integers(0, (1 << UID_BITS) - 1)),
    min_size=1,
    max_size=30,
)


@given(_PAIRS)
def test_a_packed_number_holds_list_and_uid(pairs: list[tuple[int, int]]) -> None:
    list_no, uid = (np.array(column, np.int64) for column in zip(*pairs, strict=True))
    packed = pack(list_no, np.ones(len(pairs), np.int64), uid).tolist()
    assert [divmod(number, 1 << UID_BITS) for number in packed] == pairs


def test_the_largest_pair_uses_63_bits_and_is_not_negative() -> None:
    list_no, uid = np.array([[(1 << LIST_BITS) - 1], [(1 << UID_BITS) - 1]], np.int64)
    largest = pack(list_no, np.array([1]), uid)
    assert largest.tolist() == [(1 << 63) - 1]


def test_a_list_number_is_repeated_for_each_of_its_links() -> None:
    packed = pack(np.array([5, 9]), np.array([2, 1]), np.array([101, 102, 103]))
    assert [divmod(one, 1 << UID_BITS) for one in packed.tolist()] == [(5, 101), (5, 102), (9, 103)]


def test_fits_rejects_what_pack_cannot_hold() -> None:
    few, small = np.arange(3), np.array([1, (1 << UID_BITS) - 1], np.int64)
    assert fits(few, small)
    assert fits(few, small[:0])
    assert not fits(few, small + 1)
    assert not fits(np.arange(1 << LIST_BITS), small)
