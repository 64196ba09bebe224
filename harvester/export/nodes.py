"""The records at both ends of the links, each once, and numbered without gaps."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa

from harvester.job.databases import answer_name
from harvester.model import lazy_compute as pc
from harvester.model import uids as sets
from harvester.model.schemas import constant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from harvester.export.harvests import Harvests
    from harvester.model.uids import UidSet

_PROPERTIES = {"score": "long", "rank": "int", "round": "int"}

_CHUNK = 1 << 16
"""Number of nodes listed at a time."""

_ADDED = 1 << 20
"""UIDs added to a set at a time, 8 MB. Each addition passes over the whole set."""

_FILLED = 1 << 17
"""Number of members of a set that are unpacked at a time."""

_SPARSE = 32
"""UIDs per member from which on a sorted list takes less memory than one bit per UID."""


def edge_properties(schema: pa.Schema) -> dict[str, str]:
    """Return the columns of links that are properties of edges, with their types in Java's words.

    Args:
        schema: of the links; those of a job with `repeat` have a `round`.
    """
    return {name: kind for name, kind in _PROPERTIES.items() if name in schema.names}


class Nodes:
    """Input UIDs, and the records that links lead to.

    The node of a record is its place: first by database, then by UID.

    Args:
        harvests: harvests of links; all rows are read once.
    """

    def __init__(self, harvests: Harvests) -> None:
        kind = harvests.first.identifiers.type
        make = _Texts if pa.types.is_string(kind) else _Numbers
        members: dict[str, _Members] = defaultdict(make)
        for reader in harvests.readers:
            own = members[answer_name(reader.dbfrom)]
            for table in reader.uids("from_uid"):
                own.add(table["from_uid"])
            for table in reader.links("from_uid"):
                own.add(table["from_uid"])
        for table in harvests.links("dbto", "to_uid"):
            whole = table.unify_dictionaries()
            for db in pc.unique(whole["dbto"]).to_pylist():
                same = whole.filter(pc.equal(whole["dbto"], db))
                members[answer_name(db)].add(same["to_uid"])
        self._members = {db: one.end() for db, one in sorted(members.items()) if len(one)}
        self._first: dict[str, int] = {}
        self.count = 0
        for db, one in self._members.items():
            self._first[db] = self.count
            self.count += len(one)

    @property
    def dbs(self) -> list[str]:
        """The databases, in alphabetical order."""
        return list(self._members)

    def of(self, db: str) -> Iterator[pa.Array]:
        """Yield the records of a database, ascending."""
        return self._members[db].listed()

    def batches(self) -> Iterator[tuple[pa.DictionaryArray, pa.Array]]:
        """Yield databases and UIDs of all nodes, in their order."""
        for db in self._members:
            for uids in self.of(db):
                yield constant(db, len(uids)), uids

    def numbers(self, db: pa.DictionaryArray, uids: pa.Array) -> NDArray[np.int64]:
        """Return the places of records.

        Args:
            db: their databases, without nulls.
            uids: their UIDs, without nulls.
        """
        found = np.empty(len(uids), np.int64)
        names = db.dictionary.to_pylist()
        codes = db.indices.to_numpy(zero_copy_only=False)
        for code in np.flatnonzero(np.bincount(codes)).tolist():
            name = answer_name(names[code])
            at = np.flatnonzero(codes == code)
            some = uids if len(at) == len(uids) else uids.take(pa.array(at))
            found[at] = self._members[name].places(some) + self._first[name]
        return found


class _Members(Protocol):
    """The records of one database."""

    def __len__(self) -> int:
        """Return their number."""

    def add(self, column: pa.ChunkedArray) -> None:
        """Add some."""

    def end(self) -> _Members:
        """Prepare for `places`, once all are added; return itself."""

    def listed(self) -> Iterator[pa.Array]:
        """Yield them, ascending."""

    def places(self, column: pa.Array) -> NDArray[np.int64]:
        """Return their places among all, from 0."""


class _Numbers:
    """UIDs."""

    def __init__(self) -> None:
        self._set: UidSet = sets.as_set()
        self._offsets: NDArray[np.uint32 | np.int64] | None = None
        self._added: list[NDArray[np.int64]] = []
        self._waiting = 0

    def __len__(self) -> int:
        self._unite()
        return len(self._set) if self._offsets is None else len(self._offsets)

    def add(self, column: pa.ChunkedArray) -> None:
        for chunk in column.chunks:
            self._added.append(chunk.to_numpy())
            self._waiting += len(chunk)
        if self._waiting >= _ADDED:
            self._unite()

    def _unite(self) -> None:
        if self._added:
            self._set |= sets.as_set(np.sort(np.concatenate(self._added)))
        self._added, self._waiting = [], 0

    def end(self) -> _Numbers:
        self._unite()
        first, last = self._set[0], self._set[-1]
        self._lowest = int(first)
        self._span = int(last) - self._lowest + 1
        if self._span > _SPARSE * len(self._set):
            self._list_offsets()
        else:
            self._set_bits()
        return self

    def listed(self) -> Iterator[pa.Array]:
        if self._offsets is None:
            for array in self._unpacked(_CHUNK):
                yield pa.array(array)
            return
        for at in range(0, len(self._offsets), _CHUNK):
            some = self._offsets[at : at + _CHUNK].astype(np.int64)
            yield pa.array(some + self._lowest)

    def places(self, column: pa.Array) -> NDArray[np.int64]:
        offsets = column.to_numpy() - self._lowest
        if self._offsets is not None:
            found = np.searchsorted(self._offsets, offsets.astype(self._offsets.dtype))
            return np.asarray(found, np.int64)
        words = offsets >> 6
        below = (np.uint64(1) << (offsets & 63).astype(np.uint64)) - np.uint64(1)
        counts = np.bitwise_count(self._bits[words] & below)
        return np.asarray(self._before[words].astype(np.int64) + counts, np.int64)

    def _unpacked(self, size: int) -> Iterator[NDArray[np.int64]]:
        for at in range(0, len(self._set), size):
            yield sets.as_array(self._set[at : at + size])

    def _list_offsets(self) -> None:
        kind = np.uint32 if self._span <= 1 << 32 else np.int64
        offsets: NDArray[np.uint32 | np.int64] = np.empty(len(self._set), kind)
        at = 0
        for array in self._unpacked(_FILLED):
            offsets[at : at + len(array)] = array - self._lowest
            at += len(array)
        self._offsets, self._set = offsets, None  # the list replaces it

    def _set_bits(self) -> None:
        """Set one bit per UID, and count the bits before each word of 64."""
        self._bits = np.zeros((self._span + 63) >> 6, np.uint64)
        for array in self._unpacked(_FILLED):
            offsets = array - self._lowest
            words = offsets >> 6
            starts = np.flatnonzero(np.diff(words, prepend=-1))
            bits = np.uint64(1) << (offsets & 63).astype(np.uint64)
            self._bits[words[starts]] |= np.bitwise_or.reduceat(bits, starts)
        self._before = np.zeros(len(self._bits), np.uint32)
        np.cumsum(np.bitwise_count(self._bits[:-1]), out=self._before[1:], dtype=np.uint32)


class _Texts:
    """Accessions; like elsewhere in the program, all of them are in memory."""

    def __init__(self) -> None:
        self._set: set[str] = set()

    def __len__(self) -> int:
        return len(self._set)

    def add(self, column: pa.ChunkedArray) -> None:
        self._set.update(pc.unique(column).to_pylist())

    def end(self) -> _Texts:
        self._sorted = sorted(self._set)
        self._place = {text: place for place, text in enumerate(self._sorted)}
        return self

    def listed(self) -> Iterator[pa.Array]:
        for at in range(0, len(self._sorted), _CHUNK):
            yield pa.array(self._sorted[at : at + _CHUNK])

    def places(self, column: pa.Array) -> NDArray[np.int64]:
        found: Iterable[int] = map(self._place.__getitem__, column.to_pylist())
        return np.fromiter(found, np.int64, len(column))
