"""The sets of UIDs a harvest works with, and the batches cut from them.

UIDs are positive integers below 2^63 (Entrez Programming Utilities Help, NBK25497: "an integer
ID called a UID"), so a set of them is a 64-bit roaring bitmap: 38 million PMIDs take a few MB,
sorted and without duplicates by nature.
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


def as_set(uids: UidArray | Iterable[int] = ()) -> UidSet:
    """The set of some UIDs; an int64 array goes in without a Python object per UID."""
    if isinstance(uids, np.ndarray):
        return BitMap64(uids.astype(np.uint64, copy=False))
    return BitMap64(uids)


def union(sets: Iterable[UidSet]) -> UidSet:
    """All members of any of them."""
    return BitMap64().union(*sets)


def as_array(uids: UidSet) -> UidArray:
    """The members in ascending order, int64."""
    return np.array(uids.to_array(), dtype=np.uint64).view(np.int64)


def dump(uids: UidSet) -> bytes:
    """The set as bytes in roaring's portable form."""
    uids.run_optimize()
    return bytes(uids.serialize())


def load(data: bytes) -> UidSet:
    """The set that `dump` wrote."""
    return BitMap64.deserialize(data)


def count(occurring: UidArray, uids: UidArray) -> NDArray[np.int64]:
    """How often each of `uids` (ascending) occurs among those occurring, all of which are in it."""
    if not len(occurring):
        return np.zeros(len(uids), np.int64)
    changes = np.flatnonzero(occurring[1:] != occurring[:-1]) + 1
    if len(changes) * 8 < len(occurring):  # the same ones lie together: count runs of them
        starts = np.concatenate(([0], changes))
        lengths = np.diff(starts, append=len(occurring))
        places = np.searchsorted(uids, occurring[starts])
        return np.bincount(places, lengths, minlength=len(uids)).astype(np.int64)
    return np.bincount(np.searchsorted(uids, occurring), minlength=len(uids)).astype(np.int64)


def shard(uids: UidSet, index: int, count: int) -> UidSet:
    """The `index`-th (from 1) of `count` equal shares; together they are the whole, once."""
    size = len(uids)
    return uids[size * (index - 1) // count : size * index // count]


class Cursor:
    """Cuts a set into batches, in ascending order, each as large as asked for at that moment."""

    def __init__(self, uids: UidSet) -> None:
        self._uids = uids
        self._taken = 0

    def __len__(self) -> int:
        """How many UIDs have not been taken yet."""
        return len(self._uids) - self._taken

    def take(self, count: int) -> UidArray:
        """The next `count` UIDs, fewer at the end."""
        batch = as_array(self._uids[self._taken : self._taken + count])
        self._taken += len(batch)
        return batch

    def rest(self) -> UidSet:
        """All that has not been taken yet."""
        return self._uids[self._taken :]
