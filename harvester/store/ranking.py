"""The targets that most inputs link to, over all linknames, in bounded memory.

The first reading counts the links per slot of a large table; the count of a slot is at least that
of each target in it. Further readings count exactly the targets of slots that may hold one of the
first targets, the fullest slots first. Mostly there are three readings.

A UID may link to a target by several linknames, and is one input all the same. The links of a UID
are written together, so equal pairs are found among neighbours; a check makes sure of that.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.errors import BadInput, FolderError, nearest, printable
from harvester.model.outcomes import Outcome
from harvester.store.counted import counted
from harvester.store.link_counts import ExactCounts, fullest, name_codes, read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from harvester import events
    from harvester.model.uids import UidArray
    from harvester.store.reader import HarvestReader

_MOST_BITS = 25
"""Slots, as a power of two: 128 MiB. PMIDs have a slot of their own up to 33 million."""

_FIRST_SLOTS = 1 << 12
"""Slots whose targets the second reading counts."""

_MOST_TARGETS = 1 << 21
"""Targets that a reading counts: about 64 MiB."""

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
    links = _Links(harvests, dbto, linkname, emit)
    bounds = _Bounds.count(links)
    if not bounds.families and (dbto or linkname):
        raise BadInput(links.none_of())
    ranking = _Ranking(links, bounds, most)
    ranking.run()
    return ranking.best


@dataclass(frozen=True, slots=True)
class _Batch:
    """Some links, column by column.

    Attributes:
        numbers: UIDs of the targets; of accessions, numbers that stand for them in this process.
        databases: names of databases.
        codes: for each link, place of its database in `databases`.
        texts: accessions of the targets; None for UIDs.
        runs: number of the run of neighbours with the same from_uid; None if it was not read.
    """

    numbers: UidArray
    databases: list[str]
    codes: NDArray[np.int32]
    texts: pa.Array | None
    runs: UidArray | None


class _Links:
    """The links that are ranked, read as often as they are needed.

    Args:
        harvests: the harvests.
        dbto, linkname: only these; None for all.
        emit: receives the progress of each reading.

    Attributes:
        families: database → linknames and harvests of its links, as far as they were read.
        is_text: whether UIDs are accessions.
    """

    def __init__(
        self,
        harvests: Sequence[HarvestReader],
        dbto: str | None,
        linkname: str | None,
        emit: events.Listener,
    ) -> None:
        self._harvests = harvests
        self._emit = emit
        self._dbto, self._linkname = dbto, linkname
        self._is_first = True
        self._seen: dict[str, set[str]] = {"dbto": set(), "linkname": set()}
        self.families: dict[str, set[tuple[int, str]]] = defaultdict(set)
        self.is_text = pa.types.is_string(harvests[0].schema.field("to_uid").type)
        self.count = sum(one.link_count for one in harvests)

    def read(self, *, runs: bool) -> Iterator[_Batch]:
        """Yield the links; with `runs`, those of an input can be told from those of the next.

        Raises:
            FolderError: the links of an input are not neighbours, which they are as written.
        """
        columns = ["dbto", "linkname", "to_uid", *(["from_uid"] if runs else [])]
        last = -1
        for place, harvest in enumerate(self._harvests):
            counter = _Runs(last)
            tables = read_ahead(harvest.links(*columns))
            for table in counted(tables, harvest.link_count, self._emit):
                for batch in table.to_batches():
                    numbered = counter.number(batch.column("from_uid")) if runs else None
                    if (found := self._chosen(batch, place, numbered)) is not None:
                        yield found
            if runs and counter.last - last != harvest.outcomes.get(Outcome.LINKED, 0):
                raise FolderError(
                    f"{harvest.folder} has links of a UID in several places. Run `harvester verify "
                    f"{harvest.folder}`, or harvest into another folder."
                )
            last = counter.last
        self._is_first = False

    def none_of(self) -> str:
        """Return the sentence for a database or linkname that no link has."""
        for name, wanted in (("linkname", self._linkname), ("dbto", self._dbto)):
            if wanted is not None and wanted not in self._seen[name]:
                seen = sorted(self._seen[name])
                hint = nearest(wanted, seen) or (f"; there are {', '.join(seen)}" if seen else "")
                what = "linkname" if name == "linkname" else "target database"
                folders = ", ".join(str(one.folder) for one in self._harvests)
                return f"No link in {folders} has the {what} '{printable(wanted)}'{hint}."
        return f"No link of {self._linkname} leads to {self._dbto}."

    def _chosen(self, batch: pa.RecordBatch, place: int, runs: UidArray | None) -> _Batch | None:
        names, linknames = name_codes(batch, "linkname")
        codes, databases = name_codes(batch, "dbto")
        self._seen["linkname"].update(linknames)
        self._seen["dbto"].update(databases)
        uids = batch.column("to_uid")
        if self._dbto is not None or self._linkname is not None:
            right = [
                np.array([wanted in (None, name) for name in known] or [False])
                for known, wanted in ((databases, self._dbto), (linknames, self._linkname))
            ]
            mine = right[0][codes] & right[1][names]
            if not mine.any():
                return None
            uids, codes, names = uids.filter(pa.array(mine)), codes[mine], names[mine]
            runs = None if runs is None else runs[mine]
        if self._is_first:
            pairs = names if len(databases) == 1 else codes * np.int32(len(linknames)) + names
            for pair in np.flatnonzero(np.bincount(pairs)).tolist():
                database, name = divmod(pair, len(linknames))
                self.families[databases[database]].add((place, linknames[name]))
        texts = uids if self.is_text else None
        numbers = uids.to_numpy() if texts is None else _hashes(texts, codes, databases)
        return _Batch(numbers, databases, codes, texts, runs)


class _Runs:
    """Numbers runs of neighbours with equal UIDs, over any number of columns.

    Args:
        last: number before that of the first run.

    Attributes:
        last: number of the last run.
    """

    def __init__(self, last: int) -> None:
        self.last = last
        self._uid: int | str | None = None

    def number(self, column: pa.Array) -> UidArray:
        """Return the number of the run of each UID in the next column."""
        if not len(column):
            return np.zeros(0, np.int64)
        uids = column.dictionary_encode().indices if pa.types.is_string(column.type) else column
        values = uids.to_numpy()
        first, end = column[0].as_py(), column[-1].as_py()
        starts = np.empty(len(values), np.bool_)
        starts[0] = first != self._uid
        np.not_equal(values[1:], values[:-1], out=starts[1:])
        found = np.cumsum(starts, dtype=np.int64)
        found += self.last
        self.last, self._uid = int(found[-1]), end
        return found


def _hashes(texts: pa.Array, codes: NDArray[np.int32], databases: list[str]) -> UidArray:
    """Return a number for each accession in its database, the same all through this process."""
    encoded = texts.dictionary_encode()
    names = encoded.dictionary.to_pylist()
    places = encoded.indices.to_numpy().astype(np.int64) * len(databases) + codes
    pairs, inverse = np.unique(places, return_inverse=True)
    numbers = [
        hash((names[pair // len(databases)], databases[pair % len(databases)]))
        for pair in pairs.tolist()
    ]
    return np.array(numbers, np.int64)[inverse]


@dataclass(frozen=True, slots=True)
class _Bounds:
    """How many inputs a target has at most.

    Attributes:
        slots: links per slot; a slot is set to 0 once its targets are counted.
        families: database → linknames, by harvest.
    """

    slots: NDArray[np.uint32]
    families: dict[str, set[tuple[int, str]]]

    @classmethod
    def count(cls, links: _Links) -> _Bounds:
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
    """Leaves out pairs of input and target that were there before."""

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
    """Finds the first targets by exact counts of ever more slots.

    Attributes:
        best: the first targets so far.
    """

    def __init__(self, links: _Links, bounds: _Bounds, most: int) -> None:
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

        No slot that is left has more links, and so many have as many that they are not all
        counted: only those of the lowest UIDs are, as many as fit into memory.
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
    ) -> Iterator[tuple[_Batch, NDArray[np.bool_], UidArray]]:
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
