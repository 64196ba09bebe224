"""The targets that most inputs link to, over all linknames, in bounded memory.

The first reading counts the links per slot of a large table; the count of a slot is at least that
of each target in it. Further readings count exactly the targets of slots that may hold one of the
first targets, the fullest slots first. Usually three readings suffice.

A UID may link to a target by several linknames, and is one input all the same. The links of a UID
are written together, so equal pairs are found among neighbours; a check makes sure of that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.errors import BadInput
from harvester.store.exact_counts import ExactCounts, fullest
from harvester.store.ranked_links import RankedLinks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from harvester import events
    from harvester.model.uids import UidArray
    from harvester.store.ranked_links import LinkBatch
    from harvester.store.reader import HarvestReader

_MOST_BITS = 25
"""Number of slots, as a power of two: 128 MiB. PMIDs up to 33 million have a slot each."""

_FIRST_SLOTS = 1 << 12
"""Number of slots whose targets the second reading counts."""

_MOST_TARGETS = 1 << 21
"""Number of targets that one reading counts: about 64 MiB."""

_DB_BITS = 8
"""Bits of a key for the database; the rest is the UID."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A target and the number of inputs that link to it.

    Attributes:
        db: its database.
        uid: its UID or accession.
        inputs: distinct input UIDs with a link to it, whatever the linkname.
    """

    db: str
    uid: int | str
    inputs: int


def rank_targets(
    harvests: Sequence[HarvestReader],
    most: int,
    *,
    dbto: str | None = None,
    linkname: str | None = None,
    emit: events.Listener = lambda _: None,
) -> list[Ranked]:
    """Return the targets that most inputs link to.

    Args:
        harvests: harvests whose rows have from_uid, dbto, linkname and to_uid; the hops of a
            chain, whose inputs count apart.
        most: number of targets to return.
        dbto: only targets in this database.
        linkname: only links of this name.
        emit: receives the progress of each reading.

    Returns:
        Targets by descending number of inputs, then by UID, then by database.

    Raises:
        BadInput: no link leads to the database, or has the linkname.
        FolderError: a part is missing or damaged.
    """
    links = RankedLinks(harvests, dbto, linkname, emit)
    bounds = _Bounds.count(links)
    if not bounds.families and (dbto or linkname):
        raise BadInput(links.none_of())
    ranking = _Ranking(links, bounds, most)
    ranking.run()
    return ranking.best


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Upper bounds for the number of inputs of each target.

    Attributes:
        slots: links per slot; a slot is set to 0 once its targets are counted.
        families: database → linknames, by harvest.
    """

    slots: NDArray[np.uint32]
    families: dict[str, set[tuple[int, str]]]

    @classmethod
    def count(cls, links: RankedLinks) -> _Bounds:
        """Count the links per slot."""
        bits = min(max(links.count.bit_length(), 4), _MOST_BITS)
        slots = np.zeros(1 << bits, np.uint32)
        mask = np.int64(len(slots) - 1)
        for batch in links.read(runs=False):
            np.add.at(slots, batch.numbers & mask, np.uint32(1))
        return cls(slots, dict(links.families))

    def of(self, numbers: UidArray) -> UidArray:
        """Return the slots of some targets."""
        return numbers & np.int64(len(self.slots) - 1)

    def per_slot(self) -> int:
        """Return how many targets a slot may have, by how many slots have none."""
        free = max(1 - np.count_nonzero(self.slots) / len(self.slots), math.exp(-16))
        return min(math.ceil(-2 * math.log(free)), 32) + 1


class _Distinct:
    """Removes pairs of input and target that occurred before."""

    def __init__(self) -> None:
        self._run = -1
        self._keys = np.zeros(0, np.int64)

    def first_of(self, runs: UidArray, keys: UidArray) -> UidArray:
        """Return the keys of pairs that are new; `runs` ascend."""
        if not len(keys):
            return keys
        order = np.argsort(keys, kind="stable")  # within equal keys, runs still ascend
        runs, keys = runs[order], keys[order]
        new = np.ones(len(keys), np.bool_)
        new[1:] = (keys[1:] != keys[:-1]) | (runs[1:] != runs[:-1])
        new &= ~((runs == self._run) & np.isin(keys, self._keys))
        last = int(runs.max())
        mine = keys[(runs == last) & new]
        self._keys = np.concatenate([self._keys, mine]) if last == self._run else mine
        self._run = last
        return keys[new]


class _Ranking:
    """Finds the first targets by exact counts of more and more slots.

    Attributes:
        best: the first targets so far.
    """

    def __init__(self, links: RankedLinks, bounds: _Bounds, most: int) -> None:
        self._links = links
        self._bounds = bounds
        self._most = most
        self._dbs = sorted(bounds.families)
        self.best: list[Ranked] = []
        self._distinct = any(len(names) > 1 for names in bounds.families.values())

    @property
    def least(self) -> int:
        """Inputs below which a target is not among the first; at least 1."""
        return self.best[-1].inputs if len(self.best) == self._most else 1

    def run(self) -> None:
        """Read the links until no other target can be among the first."""
        slots = self._bounds.slots
        limit = max(_MOST_TARGETS // self._bounds.per_slot(), 1)
        chosen = fullest(slots, 0, _FIRST_SLOTS)
        while chosen.any():
            self._count(chosen)
            slots[chosen] = 0
            enough = self.least - 1
            if np.count_nonzero(slots > enough) > limit and not self._links.is_text:
                if not (slots > self.least).any():
                    self._add_lowest()
                    return
                enough = self.least
            chosen = fullest(slots, enough, limit)

    def _count(self, chosen: NDArray[np.bool_]) -> None:
        """Count the targets of some slots, and keep the first of all."""
        counts, texts = ExactCounts(), dict[int, tuple[str, str]]()
        for batch, mine, keys in self._keys(chosen):
            counts.add(keys)
            if batch.texts is not None:
                named = batch.texts.filter(pa.array(mine)).to_pylist()
                codes = batch.codes[mine].tolist()
                numbers = batch.numbers[mine].tolist()
                texts.update(
                    (number, (batch.databases[code], text))
                    for number, code, text in zip(numbers, codes, named, strict=True)
                )
        if self._links.is_text:
            found = [Ranked(*texts[key], inputs) for key, inputs in counts.at_least(self._most)]
        else:
            found = [self._ranked(key, inputs) for key, inputs in counts.first(self._most)]
        self._keep(found)

    def _add_lowest(self) -> None:
        """Add the lowest UIDs with just enough inputs: the rest of the first targets.

        All slots left have at most that many links, and too many targets are equal to count them
        all: only the lowest UIDs are counted, as many as fit into memory.
        """
        least = self.least
        above = -1
        while True:
            lowest = _Lowest(above)
            for _, _, keys in self._keys(self._bounds.slots == least):
                lowest.add(keys)
            found = [self._ranked(key, least) for key in lowest.with_count(least)[: self._most]]
            self._keep(found)
            full = len(self.best) == self._most
            if lowest.bound is None or (full and int(self.best[-1].uid) < lowest.bound >> _DB_BITS):
                return
            above = lowest.bound

    def _keys(
        self, chosen: NDArray[np.bool_]
    ) -> Iterator[tuple[LinkBatch, NDArray[np.bool_], UidArray]]:
        """Yield batches, which links are to targets of some slots, and the keys of new pairs."""
        distinct = _Distinct()
        for batch in self._links.read(runs=self._distinct):
            mine = chosen[self._bounds.of(batch.numbers)]
            keys = batch.numbers[mine]
            if batch.texts is None:
                places = np.array([self._dbs.index(name) if name in self._dbs else 0
                                   for name in batch.databases], np.int64)  # fmt: skip
                keys = (keys << _DB_BITS) | places[batch.codes[mine]]
            if batch.runs is not None:
                keys = distinct.first_of(batch.runs[mine], keys)
            yield batch, mine, keys

    def _ranked(self, key: int, inputs: int) -> Ranked:
        return Ranked(self._dbs[key & ((1 << _DB_BITS) - 1)], key >> _DB_BITS, inputs)

    def _keep(self, found: list[Ranked]) -> None:
        order = sorted({*self.best, *found}, key=lambda one: (-one.inputs, one.uid, one.db))
        self.best = order[: self._most]


class _Lowest:
    """Counts the lowest keys exactly, as many as fit into memory.

    Args:
        above: leave out keys up to this.

    Attributes:
        bound: keys above it are not counted; None if all are.
    """

    def __init__(self, above: int) -> None:
        self._above = above
        self._counts = ExactCounts()
        self.bound: int | None = None

    def add(self, keys: UidArray) -> None:
        """Count some keys."""
        mine = keys > self._above
        if self.bound is not None:
            mine &= keys <= self.bound
        self._counts.add(keys[mine])
        if self._counts.distinct > _MOST_TARGETS:
            self.bound = self._counts.keep_lowest(_MOST_TARGETS // 2)

    def with_count(self, count: int) -> list[int]:
        """Return the keys with a count, ascending."""
        return self._counts.with_count(count)
