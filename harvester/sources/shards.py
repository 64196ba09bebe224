"""Shares of the input for array jobs: a UID is in the same share whatever the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xxhash

from harvester.model import uids

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.model.identifiers import Listed
    from harvester.model.uids import UidArray

_GAMMA, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
"""Constants of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014)."""


def share(listed: Listed, index: int, count: int, *, by_rank: bool = False) -> Listed:
    """Return the `index`-th (from 1) of `count` disjoint shares of nearly equal size.

    A UID belongs to the share `splitmix64(UID) mod count`, an accession to
    `XXH3-64(text) mod count`, both counted from 0. So a list that changes while the jobs of an
    array read it moves no UID from one share to another.

    Args:
        listed: all UIDs, or accessions.
        index: number of the share.
        count: number of shares.
        by_rank: cut the sorted list into equal pieces instead, as version 1 of folders did.
    """
    if count == 1:
        return listed
    if isinstance(listed, list):
        if by_rank:
            return listed[len(listed) * (index - 1) // count : len(listed) * index // count]
        return [
            text for text in listed if xxhash.xxh3_64_intdigest(text.encode()) % count == index - 1
        ]
    if by_rank:
        return uids.shard(listed, index, count)
    members = uids.as_array(listed)
    return uids.as_set(members[mixed(members) % np.uint64(count) == index - 1])


def mixed(members: UidArray) -> NDArray[np.uint64]:
    """Return the output of SplitMix64 for each UID as its state."""
    mix = members.astype(np.uint64) + np.uint64(_GAMMA)
    mix = (mix ^ (mix >> np.uint64(30))) * np.uint64(_FIRST)
    mix = (mix ^ (mix >> np.uint64(27))) * np.uint64(_SECOND)
    return np.asarray(mix ^ (mix >> np.uint64(31)), np.uint64)
