"""Exact counts of numbers in bounded memory, and the fullest slots of a table of counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.model.uids import UidArray

_HELD = 1 << 18
"""Number of links held before links to equal targets are counted together."""

_BLOCK = 1 << 20
"""Number of slots processed together."""

_MOST_LINKS = (1 << 16) - 1
"""Number of links above which slots are treated alike when the fullest are chosen."""


class ExactCounts:
    """Counts numbers exactly, with about 30 bytes of memory for each distinct one."""

    def __init__(self) -> None:
        self._keys, self._counts = np.empty(0, np.int64), np.empty(0, np.int64)
        self._held: list[UidArray] = []
        self._size = 0

    def add(self, numbers: UidArray) -> None:
        """Count some numbers."""
        self._held.append(numbers)
        self._size += len(numbers)
        if self._size > _HELD:
            self._fold()

    def first(self, most: int) -> list[tuple[int, int]]:
        """Return the numbers with the greatest counts, and these; of equal ones the smallest."""
        self._fold()
        if len(self._keys) > most:
            least = np.partition(self._counts, -most)[-most]
            above = np.flatnonzero(self._counts > least)
            equal = np.flatnonzero(self._counts == least)
            places = np.concatenate([above, equal[: most - len(above)]])
        else:
            places = np.arange(len(self._keys))
        return list(zip(self._keys[places].tolist(), self._counts[places].tolist(), strict=True))

    def at_least(self, most: int) -> list[tuple[int, int]]:
        """Return the numbers with the greatest counts, and all others with as many as the last."""
        self._fold()
        least = np.partition(self._counts, -most)[-most] if len(self._keys) > most else 0
        mine = self._counts >= least
        return list(zip(self._keys[mine].tolist(), self._counts[mine].tolist(), strict=True))

    def with_count(self, count: int) -> list[int]:
        """Return the numbers with a count, ascending."""
        self._fold()
        return list(self._keys[self._counts == count].tolist())

    @property
    def distinct(self) -> int:
        """Distinct numbers, of those that were counted together."""
        return len(self._keys)

    def keep_lowest(self, most: int) -> int:
        """Drop all but the lowest numbers; return the greatest that is kept."""
        self._fold()
        self._keys, self._counts = self._keys[:most], self._counts[:most]
        return int(self._keys[-1])

    def _fold(self) -> None:
        """Add up the counts of equal numbers."""
        if not self._held:
            return
        new, counts = np.unique(np.concatenate(self._held), return_counts=True)
        self._held, self._size = [], 0
        keys = np.concatenate([self._keys, new])
        order = np.argsort(keys, kind="stable")  # quick, since two sorted runs are merged
        keys = keys[order]
        counts = np.concatenate([self._counts, counts])[order]
        firsts = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
        self._keys, self._counts = keys[firsts], np.add.reduceat(counts, firsts)


def fullest(slots: NDArray[np.uint32], least: int, most: int) -> NDArray[np.bool_]:
    """Return the fullest slots among those with more than some links.

    Args:
        slots: links of each slot.
        least: links that are too few.
        most: number of slots to choose.
    """
    chosen = np.zeros(len(slots), np.bool_)
    blocks = [slice(begin, begin + _BLOCK) for begin in range(0, len(slots), _BLOCK)]
    counts = np.zeros(_MOST_LINKS + 2, np.int64)  # links, up to a limit → slots
    for block in blocks:
        links = slots[block][slots[block] > least]
        counts += np.bincount(np.minimum(links, _MOST_LINKS), minlength=len(counts))
    fuller = np.cumsum(counts[::-1])[::-1][1:]  # links → slots with more
    bound = int(np.argmax(fuller <= most))
    left = most - int(fuller[bound])
    for block in blocks:
        links = np.where(slots[block] > least, np.minimum(slots[block], _MOST_LINKS), 0)
        chosen[block] = links > bound
        if bound:
            equal = np.flatnonzero(links == bound)[:left]
            chosen[block.start + equal] = True
            left -= len(equal)
    return chosen
