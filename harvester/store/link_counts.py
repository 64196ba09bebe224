"""Counts over the links of a harvest of any size, in constant memory.

The targets that most inputs link to are found by repeated readings. The first counts the links per
slot of a table with fewer slots than there are targets: the count of a slot is at least that of
each target in it. The second counts the targets of the fullest slots exactly. Further readings do
so for all other slots that may hold one of the first targets; usually there are none. The result
is exact.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from harvester.store.exact_counts import ExactCounts, fullest

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from numpy.typing import NDArray

    from harvester.model.uids import UidArray
    from harvester.store.reader import HarvestReader

Family: TypeAlias = tuple[str, str]
"""Database and linkname of links."""

_MOST_BITS = 23
"""Slots of the family with the most links, as a power of two: 32 MiB."""

_OTHER_BITS = 21
"""Slots of each other family: 8 MiB."""

_FIRST_SLOTS = 1 << 12
"""Number of slots whose targets the second reading counts."""

_MOST_TARGETS = 1 << 21
"""Number of targets that a further reading counts: about 64 MiB. Usually there is none."""


@dataclass(frozen=True, slots=True)
class Target:
    """A record and the number of distinct inputs that link to it.

    Attributes:
        uid: UID or accession.
        inputs: distinct UIDs of the input that link to it.
    """

    uid: int | str
    inputs: int


def count_families(harvest: HarvestReader) -> Counter[Family]:
    """Return the links of each database and linkname.

    The database is empty where the cmd has no column for it, and so is a name that is null.

    Raises:
        FolderError: a part is missing or damaged.
    """
    counts: Counter[Family] = Counter()
    columns = [name for name in ("dbto", "linkname") if name in harvest.schema.names]
    if not columns:
        return counts
    for table in read_ahead(harvest.links(*columns)):
        for batch in table.to_batches():
            codes, families = _families(batch)
            found = np.bincount(codes, minlength=len(families)).tolist()
            for family, count in zip(families, found, strict=True):
                if count:
                    counts[family] += count
    return counts


def top_targets(
    harvest: HarvestReader, families: Counter[Family], most: int
) -> dict[Family, list[Target]]:
    """Return the targets of some families that most inputs link to.

    Args:
        harvest: a harvest whose rows have dbto, linkname and to_uid.
        families: family → number of its links; each takes 8 MiB of memory, the largest 32 MiB.
        most: number of targets to return for each.

    Returns:
        Family → targets, by descending number of inputs, then by UID. Where targets at the end
        of the list have equal numbers, some of those are returned.

    Raises:
        FolderError: a part is missing or damaged.
    """
    places = {family: n for n, (family, _) in enumerate(families.most_common())}
    counters = {
        family: _Counter(
            min(_OTHER_BITS if place else _MOST_BITS, families[family].bit_length()), most
        )
        for family, place in places.items()
    }
    for family, numbers, _ in _split(harvest, places):
        counters[family].add(numbers)
    waiting = {family: one for family, one in counters.items() if one.choose(_FIRST_SLOTS)}
    while waiting:
        for family, numbers, texts in _split(harvest, waiting):
            waiting[family].count(numbers, texts)
        waiting = {family: one for family, one in waiting.items() if one.choose()}
    return {family: counters[family].first() for family in places}


class _Counter:
    """Counts the first targets of one family.

    Args:
        bits: number of slots, as a power of two.
        most: number of targets wanted.
    """

    def __init__(self, bits: int, most: int) -> None:
        self._most = most
        self._mask = np.int64((1 << bits) - 1)
        self._slots = np.zeros(1 << bits, np.uint32)  # a slot is set to 0 once it is counted
        self._chosen = np.zeros(0, np.bool_)
        self._largest = 0
        self._exact = ExactCounts()
        self._best: list[Target] = []
        self._texts: dict[int, str] = {}

    def add(self, numbers: UidArray) -> None:
        """Count links in their slots; the first reading."""
        self._largest = max(self._largest, int(numbers.max(initial=0)))
        np.add.at(self._slots, numbers & self._mask, np.uint32(1))

    def choose(self, slots: int | None = None) -> bool:
        """Choose the slots for another reading; return False if there are none left to count.

        Args:
            slots: number of slots; by default, those of `_MOST_TARGETS` targets.
        """
        self._rank()
        per_slot = min(self._largest // len(self._slots) + 1, 16)
        least = self._best[-1].inputs if len(self._best) == self._most else 0
        self._chosen = fullest(self._slots, least, slots or max(_MOST_TARGETS // per_slot, 1))
        self._slots[self._chosen] = 0
        return bool(self._chosen.any())

    def count(self, numbers: UidArray, texts: pa.Array | None) -> None:
        """Count the targets of the chosen slots; `texts` are the accessions of the numbers."""
        mine = self._chosen[numbers & self._mask]
        found = numbers[mine]
        self._exact.add(found)
        if texts is not None:
            named = texts.filter(pa.array(mine)).to_pylist()
            self._texts.update(zip(found.tolist(), named, strict=True))

    def first(self) -> list[Target]:
        """Return the first targets, in their order."""
        return self._best

    def _rank(self) -> None:
        """Keep the first of the targets that were counted, and forget the others."""
        found = [
            Target(self._texts.get(number, number), inputs)
            for number, inputs in self._exact.first(self._most)
        ]
        self._exact, self._texts = ExactCounts(), {}
        order = sorted([*self._best, *found], key=lambda one: (-one.inputs, one.uid))
        self._best = order[: self._most]


def _split(
    harvest: HarvestReader, wanted: Container[Family]
) -> Iterator[tuple[Family, UidArray, pa.Array | None]]:
    """Yield the targets of each wanted family, batch by batch.

    Yields:
        Family, and its UIDs; for accessions numbers that stand for them within this process, and
        the accessions.
    """
    for table in read_ahead(harvest.links("dbto", "linkname", "to_uid")):
        for batch in table.to_batches():
            codes, families = _families(batch)
            uids = batch.column("to_uid")
            texts = uids if pa.types.is_string(uids.type) else None
            numbers = (
                uids.to_numpy()
                if texts is None
                else np.fromiter(map(hash, texts.to_pylist()), np.int64, len(texts))
            )
            present = np.flatnonzero(np.bincount(codes, minlength=len(families))).tolist()
            for code in present:
                if families[code] not in wanted:
                    continue
                if len(present) == 1:
                    yield families[code], numbers, texts
                    continue
                mine = codes == code
                own = None if texts is None else texts.filter(pa.array(mine))
                yield families[code], numbers[mine], own


def read_ahead(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    """Yield tables while a thread reads the next one; reading releases the interpreter lock."""
    with ThreadPoolExecutor(1) as pool:
        following = pool.submit(next, tables, None)
        while (table := following.result()) is not None:
            following = pool.submit(next, tables, None)
            yield table


def _families(batch: pa.RecordBatch) -> tuple[NDArray[np.int32], list[Family]]:
    """Return the family of each row of a batch, as its place in a list."""
    codes, names = name_codes(batch, "linkname")
    others, databases = name_codes(batch, "dbto")
    if len(databases) > 1:
        codes = others * np.int32(len(names)) + codes
    return codes, [(database, name) for database in databases for name in names]


def name_codes(batch: pa.RecordBatch, name: str) -> tuple[NDArray[np.int32], list[str]]:
    """Return the values of a column of names, and for each row the place of its value."""
    if name not in batch.schema.names:
        return np.zeros(len(batch), np.int32), [""]
    column = batch.column(name)
    codes, names = column.indices, column.dictionary.to_pylist()
    if codes.null_count:
        codes, names = codes.fill_null(len(names)), [*names, None]
    return codes.to_numpy(), [one or "" for one in names]
