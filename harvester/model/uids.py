"""Sets and arrays of UIDs, and the batches cut from them.

UIDs are positive integers below 2^63 (Entrez Programming Utilities Help, NBK25497: "an integer
ID called a UID"). A set of them is a 64-bit roaring bitmap, sorted and without duplicates: 38
million PMIDs take a few MB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from pyroaring import BitMap64

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    UidArray: TypeAlias = NDArray[np.int64]

UidSet: TypeAlias = Any
"""A `pyroaring.BitMap64`; the library ships no type hints."""

MAX_UID = 2**63 - 1
"""The largest UID that int64 can hold."""


def as_set(uids: UidArray | Iterable[int] = ()) -> UidSet:
    """Return a set of UIDs; an int64 array needs no Python object per UID."""
    if isinstance(uids, np.ndarray):
        return BitMap64(uids.astype(np.uint64, copy=False))
    return BitMap64(uids)


def union(sets: Iterable[UidSet]) -> UidSet:
    """Return the union of sets."""
    return BitMap64().union(*sets)


def as_array(uids: UidSet) -> UidArray:
    """Return the members in ascending order, as int64."""
    return np.array(uids.to_array(), dtype=np.uint64).view(np.int64)


def dump(uids: UidSet) -> bytes:
    """Return a set as bytes in roaring's portable format."""
    uids.run_optimize()
    return bytes(uids.serialize())


def load(data: bytes) -> UidSet:
    """Return the set that `dump` wrote."""
    return BitMap64.deserialize(data)


def count(occurring: UidArray, uids: UidArray) -> NDArray[np.int64]:
    """Return how often each of `uids` occurs.

    Args:
        occurring: UIDs with repetitions, all of them in `uids`.
        uids: distinct, ascending.
    """
    if not len(occurring):
        return np.zeros(len(uids), np.int64)
    changes = np.flatnonzero(occurring[1:] != occurring[:-1]) + 1
    if len(changes) * 8 < len(occurring):  # equal UIDs lie together: count runs
        starts = np.concatenate(([0], changes))
        lengths = np.diff(starts, append=len(occurring))
        places = np.searchsorted(uids, occurring[starts])
        return np.bincount(places, lengths, minlength=len(uids)).astype(np.int64)
    return np.bincount(np.searchsorted(uids, occurring), minlength=len(uids)).astype(np.int64)


def shard(uids: UidSet, index: int, count: int) -> UidSet:
    """Return the `index`-th (from 1) of `count` equal shares, which together are the whole."""
    size = len(uids)
    return uids[size * (index - 1) // count : size * index // count]


class Cursor:
    """Cuts a set into batches of varying size, in ascending order."""

    def __init__(self, uids: UidSet) -> None:
        self._uids = uids
        self._taken = 0

    def __len__(self) -> int:
        """Return the number of UIDs not taken yet."""
        return len(self._uids) - self._taken

    def take(self, count: int) -> UidArray:
        """Return the next `count` UIDs; fewer at the end."""
        batch = as_array(self._uids[self._taken : self._taken + count])
        self._taken += len(batch)
        return batch

    def rest(self) -> UidSet:
        """Return the UIDs not taken yet."""
        return self._uids[self._taken :]
