"""The neighbourhood of one record: links from it and to it, hop by hop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.errors import BadInput
from harvester.model import lazy_compute as pc
from harvester.store.counted import counted
from harvester.store.link_counts import read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from harvester import events
    from harvester.store.reader import HarvestReader

MOST_LINKS = 500_000
"""Maximum links of a neighbourhood: they are held in memory, about 300 MB."""

_FILTER_BITS = 16
"""Bits of UIDs that are compared first, as a power of two slots."""

_COLUMNS = ("dbfrom", "from_uid", "dbto", "linkname", "to_uid", "score", "rank")
"""Columns of a link; the first five say which it is."""

Uid = int | str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A record of a neighbourhood.

    Attributes:
        db: its database.
        uid: its UID or accession.
        distance: links between it and the record in the middle, at least.
    """

    db: str
    uid: Uid
    distance: int


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """The links within some hops of a record.

    Attributes:
        nodes: the record itself first, then by distance, database and UID.
        links: rows with the columns of links and `hop`, in which they were found, from 1; by hop,
            database and UID they are from, linkname, place in NCBI's list and UID they lead to.
        databases: databases of all links of the harvests, in alphabetical order.
    """

    nodes: Sequence[Neighbour]
    links: pa.Table
    databases: Sequence[str]


def find_neighbourhood(
    harvests: Sequence[HarvestReader],
    db: str,
    uid: Uid,
    hops: int,
    canonical: Callable[[str], str] = lambda name: name,
    emit: events.Listener = lambda _: None,
) -> Neighbourhood:
    """Return the links from a record and to it, and so on from the records at their other ends.

    Each hop reads all links once. Links among the records that the last hop reached are not part
    of it.

    Args:
        harvests: harvests whose rows have dbfrom, from_uid, dbto, linkname and to_uid.
        db: database of the record.
        uid: its UID or accession.
        hops: links between the record and the farthest others, at most.
        canonical: returns the one name of a database that has several.
        emit: receives the progress of each reading.

    Raises:
        BadInput: there are more than `MOST_LINKS`.
        FolderError: a part is missing or damaged.
    """
    distances: dict[tuple[str, Uid], int] = {(db, uid): 0}
    before: dict[str, set[Uid]] = {}
    reached: dict[str, set[Uid]] = {db: {uid}}
    found: dict[tuple[object, ...], tuple[object, ...]] = {}
    databases = {canonical(one.dbfrom) for one in harvests}
    for hop in range(1, hops + 1):
        now = {name: _Members(members) for name, members in reached.items()}
        past = {name: _Members(members) for name, members in before.items()}
        for name, members in reached.items():
            before.setdefault(name, set()).update(members)
        reached = {}
        for row in _rows(harvests, now, past, canonical, databases, emit):
            found.setdefault(row[:5], (hop, *row))
            if len(found) > MOST_LINKS:
                raise BadInput(
                    f"There are more than {MOST_LINKS:,} links within {hop} hops of {db}:{uid}: "
                    "give a smaller --hops, or take all links with `harvester export`."
                )
            for end in ((str(row[0]), row[1]), (str(row[2]), row[4])):
                if end not in distances:
                    distances[end] = hop
                    reached.setdefault(end[0], set()).add(end[1])
        if not reached:
            break
    nodes = [Neighbour(*node, distance) for node, distance in distances.items()]
    is_text = isinstance(uid, str)
    return Neighbourhood(
        sorted(nodes, key=lambda one: (one.distance, one.db, one.uid)),
        _table(list(found.values()), pa.string() if is_text else pa.int64()),
        sorted(databases),
    )


def _table(rows: list[tuple[object, ...]], ids: pa.DataType) -> pa.Table:
    """Return rows as a table, sorted."""
    types = [pa.int32(), pa.string(), ids, pa.string(), pa.string(), ids, pa.int64(), pa.int32()]
    schema = pa.schema(zip(("hop", *_COLUMNS), types, strict=True))
    columns = zip(*rows, strict=True) if rows else [[] for _ in types]
    table = pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], schema=schema)
    order = ("hop", "dbfrom", "from_uid", "dbto", "linkname", "rank", "to_uid")
    return table.sort_by([(name, "ascending") for name in order])


class _Members:
    """Records of one database, as a set for fast lookup."""

    def __init__(self, uids: set[Uid]) -> None:
        self._uids = uids
        self._numbers: NDArray[np.int64] | None = None
        if not any(isinstance(uid, str) for uid in uids):
            self._numbers = np.sort(np.fromiter(map(int, uids), np.int64, len(uids)))
            self._filter = np.zeros(1 << _FILTER_BITS, np.bool_)
            self._filter[self._numbers & (len(self._filter) - 1)] = True
            self._values = None
        else:
            self._values = pa.array([str(uid) for uid in uids])

    def among(self, column: pa.Array) -> NDArray[np.bool_]:
        """Return which UIDs of a column are members."""
        if self._numbers is None:
            found = pc.is_in(column, value_set=self._values)
            known: NDArray[np.bool_] = found.to_numpy(zero_copy_only=False)
            return known
        uids = column.to_numpy()
        mine: NDArray[np.bool_] = self._filter[uids & (len(self._filter) - 1)]
        maybe = np.flatnonzero(mine)
        mine[maybe] = np.isin(uids[maybe], self._numbers)
        return mine


def _rows(
    harvests: Sequence[HarvestReader],
    now: dict[str, _Members],
    past: dict[str, _Members],
    canonical: Callable[[str], str],
    databases: set[str],
    emit: events.Listener,
) -> Iterator[tuple[str, Uid, str, str, Uid, int | None, int | None]]:
    """Yield the links with an end among the records of this hop, and none among those before.

    The databases of all links are added to `databases`.
    """
    for harvest in harvests:
        dbfrom = canonical(harvest.dbfrom)
        columns = [name for name in _COLUMNS if name != "dbfrom"]
        for table in counted(read_ahead(harvest.links(*columns)), harvest.link_count, emit):
            for batch in table.to_batches():
                databases.update(map(canonical, batch["dbto"].dictionary.to_pylist()))
                mine = _ends(batch, dbfrom, now, canonical)
                if mine.any():
                    some = batch.filter(pa.array(mine & ~_ends(batch, dbfrom, past, canonical)))
                    for row in zip(*(some[name].to_pylist() for name in columns), strict=True):
                        from_uid, dbto, linkname, to_uid, score, rank = row
                        yield dbfrom, from_uid, canonical(dbto), linkname, to_uid, score, rank


def _ends(
    batch: pa.RecordBatch,
    dbfrom: str,
    members: dict[str, _Members],
    canonical: Callable[[str], str],
) -> NDArray[np.bool_]:
    """Return which links have an end among some records."""
    found = np.zeros(len(batch), np.bool_)
    if dbfrom in members:
        found |= members[dbfrom].among(batch["from_uid"])
    dbto = batch["dbto"]
    names = [canonical(name) for name in dbto.dictionary.to_pylist()]
    wanted = [place for place, name in enumerate(names) if name in members]
    if not wanted:
        return found
    codes = dbto.indices.to_numpy()
    for place in wanted:
        to = members[names[place]].among(batch["to_uid"])
        found |= to if len(names) == 1 else to & (codes == place)
    return found
