"""Compare the links of two harvests of one job, range by range, in bounded memory.

`diff` and `verify --against` use this. A link is the same if the columns that identify it are
the same (`Command.key`); rank and score are not among them, and are compared apart. Only UIDs that
both harvests have a whole answer for are compared.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.errors import BadInput
from harvester.eutils.elink.commands import COMMANDS
from harvester.model import lazy_compute as pc
from harvester.model import uids
from harvester.model.identifiers import Uids, identifiers_of, numbered, written
from harvester.store.counted import counted
from harvester.store.passes.spill import Spill, range_bounds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from harvester import events
    from harvester.model.identifiers import Identifiers
    from harvester.model.uids import UidSet
    from harvester.store.reader import HarvestReader

ROWS = 1 << 18
"""Number of rows of one harvest that are compared at a time, with about 150 MB of memory."""

_WITHOUT_NAME = "(no linkname)"
"""Stands for the linkname of rows that have none."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Differences between two harvests in the links of one linkname, or of all.

    Attributes:
        added: links of the new harvest that the old one lacks.
        removed: links of the old harvest that the new one lacks.
        kept: links of both.
        uids_added: UIDs with added links.
        uids_removed: UIDs with removed links.
        rank_changed: links of both with another place in NCBI's list.
        score_changed: links of both with another score.
    """

    added: int = 0
    removed: int = 0
    kept: int = 0
    uids_added: int = 0
    uids_removed: int = 0
    rank_changed: int = 0
    score_changed: int = 0

    def __add__(self, other: Difference) -> Difference:
        """Return the sums, which hold for links of different UIDs."""
        names = [one.name for one in fields(self)]
        return Difference(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True, slots=True)
class Compared:
    """The result of a comparison of two harvests.

    Attributes:
        uids: UIDs that were compared: both harvests have a whole answer for them.
        only_old: UIDs that only the old harvest requested.
        only_new: UIDs that only the new harvest requested.
        unanswered: UIDs of both without a whole answer in one of them.
        total: the links of all linknames; a UID counts once.
        by_linkname: linkname → its links. Of a cmd without linknames, the cmd → its rows.
        hops: for two chains, name of hop → its result; the others are sums.
    """

    uids: int = 0
    only_old: int = 0
    only_new: int = 0
    unanswered: int = 0
    total: Difference = Difference()
    by_linkname: dict[str, Difference] = field(default_factory=dict)
    hops: dict[str, Compared] = field(default_factory=dict)

    @classmethod
    def of_hops(cls, hops: dict[str, Compared]) -> Compared:
        """Return the results of all hops as one; a UID counts in each hop that requests it."""
        every = list(hops.values())
        by_linkname: dict[str, Difference] = {}
        for one in every:
            for name, found in one.by_linkname.items():
                by_linkname[name] = by_linkname.get(name, Difference()) + found
        return cls(
            uids=sum(one.uids for one in every),
            only_old=sum(one.only_old for one in every),
            only_new=sum(one.only_new for one in every),
            unanswered=sum(one.unanswered for one in every),
            total=sum((one.total for one in every), Difference()),
            by_linkname=dict(sorted(by_linkname.items())),
            hops=hops,
        )


def check_comparable(old: HarvestReader, new: HarvestReader) -> None:
    """Check that the links of two harvests can be compared.

    Raises:
        BadInput: they are of different jobs, or are no links of single UIDs.
    """
    for found in (old, new):
        found.check_links()
        if found.kind != "links" or not COMMANDS[found.cmd].key:
            raise BadInput(
                f"{found.folder} holds sets, not links of single UIDs, so it cannot be compared."
            )
    before, now = ((one.identity or {}).get("link", {}) for one in (old, new))
    for key in sorted(before | now):
        if before.get(key) != now.get(key):
            raise BadInput(
                f"{old.folder} and {new.folder} are of different jobs: link.{key} is "
                f"{before.get(key)} and {now.get(key)}."
            )


def compare(
    old: HarvestReader,
    new: HarvestReader,
    take: Callable[[pa.Table, pa.Table], None] = lambda *_: None,
    emit: events.Listener = lambda _: None,
) -> Compared:
    """Compare the links of two harvests.

    Args:
        old: the earlier harvest; neither is changed.
        new: the later harvest of the same job.
        take: receives rows of links that were added and rows that were removed, some UIDs at a
            time, ascending by UID.
        emit: receives the progress.

    Raises:
        BadInput: they are of different jobs, or are no links of single UIDs.
        FolderError: a part is missing or damaged.
        OSError: the disk of temporary files is full.
    """
    check_comparable(old, new)
    identifiers = identifiers_of(old.idtype)
    sets = [
        [identifiers.number_all(one.listed(members)) for members in (one.wanted, one.answered)]
        for one in (old, new)
    ]
    (wanted_old, answered_old), (wanted_new, answered_new) = sets
    both = answered_old & answered_new
    total = Difference()
    by_linkname: dict[str, Difference] = {}
    for before, now in _ranges(old, new, both, identifiers, emit):
        split = Split.of(before, now, old.cmd)
        counted, named = split.difference(old.cmd)
        total += counted
        for name, one in named.items():
            by_linkname[name] = by_linkname.get(name, Difference()) + one
        take(*(written(rows, identifiers, Uids()) for rows in (split.added, split.removed)))
    return Compared(
        uids=len(both),
        only_old=len(wanted_old - wanted_new),
        only_new=len(wanted_new - wanted_old),
        unanswered=len((wanted_old & wanted_new) - both),
        total=total,
        by_linkname=dict(sorted(by_linkname.items())),
    )


def _ranges(
    old: HarvestReader,
    new: HarvestReader,
    both: UidSet,
    identifiers: Identifiers,
    emit: events.Listener,
) -> Iterator[tuple[pa.Table, pa.Table]]:
    """Yield the rows of both harvests for the UIDs of each range, with numbers as from_uid."""
    place = old.schema.get_field_index("from_uid")
    schema = old.schema.set(place, old.schema.field("from_uid").with_type(pa.int64()))
    bounds = range_bounds(both, max(old.link_count, new.link_count), ROWS)
    if not len(bounds):
        before, now = (
            pa.concat_tables([schema.empty_table(), *_rows(one, both, identifiers, emit)])
            for one in (old, new)
        )
        yield before, now
        return
    codec = "lz4" if pa.Codec.is_available("lz4") else None
    with (
        tempfile.TemporaryDirectory(prefix="harvester-") as folder,
        Spill(Path(folder) / "slices", bounds, schema, codec) as spill,
    ):
        for kind, one in (("old", old), ("new", new)):
            spill.fill(kind, _rows(one, both, identifiers, emit))
        for number in range(len(spill)):
            yield spill.read("old", number), spill.read("new", number)


def _rows(
    found: HarvestReader, both: UidSet, identifiers: Identifiers, emit: events.Listener
) -> Iterator[pa.Table]:
    """Yield the rows of a harvest for some UIDs, with numbers as from_uid."""
    for table in counted(found.links(), found.link_count, emit):
        yield rows_of(numbered(table, identifiers, Uids()), both)


def rows_of(table: pa.Table, members: UidSet) -> pa.Table:
    """Return the rows of some UIDs; from_uid holds numbers."""
    froms = table["from_uid"].to_numpy()
    here = uids.as_set(np.unique(froms))
    there = here & members
    if len(there) == len(here):
        return table
    return table.filter(pa.array(np.isin(froms, uids.as_array(there))))


@dataclass(frozen=True, slots=True)
class Split:
    """The rows of two tables, divided by whether the other table has the same link.

    Attributes:
        added: rows of the new table alone.
        removed: rows of the old table alone.
        before, now: rows of both, as the old and as the new table has them.
    """

    added: pa.Table
    removed: pa.Table
    before: pa.Table
    now: pa.Table

    @classmethod
    def of(cls, old: pa.Table, new: pa.Table, cmd: str) -> Split:
        """Compare two tables by the key of a cmd; from_uid may hold numbers."""
        table = pa.concat_tables([old, new]).unify_dictionaries().combine_chunks()
        keys = [_plain(table[name]) for name in COMMANDS[cmd].key]
        names = [f"key_{number}" for number in range(len(keys))]
        rows = pa.table([*keys, pa.array(np.arange(len(table)))], names=[*names, "row"])
        found = rows.group_by(names).aggregate([("row", "min"), ("row", "max")])
        least, most = (found[f"row_{what}"].to_numpy() for what in ("min", "max"))
        is_old, is_new = most < len(old), least >= len(old)
        both = ~(is_old | is_new)
        pairs = np.argsort(least[both])
        return cls(
            added=table.take(pa.array(np.sort(least[is_new]))).sort_by("from_uid"),
            removed=table.take(pa.array(np.sort(least[is_old]))).sort_by("from_uid"),
            before=table.take(pa.array(least[both][pairs])),
            now=table.take(pa.array(most[both][pairs])),
        )

    def difference(self, cmd: str) -> tuple[Difference, dict[str, Difference]]:
        """Return the counts of all links, and those of each linkname."""
        tables = [self.added, self.removed, self.before, self.now]
        if "linkname" not in self.added.column_names:
            total = _counted(tables, _changed(self.before, self.now))
            return total, {cmd: total} if any(map(len, tables)) else {}
        named = [pc.fill_null(one["linkname"].cast(pa.string()), _WITHOUT_NAME) for one in tables]
        changed = _changed(self.before, self.now)
        by_name = {}
        for name in sorted({name for column in named for name in pc.unique(column).to_pylist()}):
            masks = [pc.equal(column, name) for column in named]
            rows = [table.filter(mask) for table, mask in zip(tables, masks, strict=True)]
            mine = masks[2].to_numpy()
            by_name[name] = _counted(rows, {key: flags[mine] for key, flags in changed.items()})
        return _counted(tables, changed), by_name


def _plain(column: pa.ChunkedArray) -> pa.Array:
    """Return a column whose values compare quickly, and in which a null equals a null."""
    (values,) = column.chunks or [pa.array([], column.type)]
    if pa.types.is_dictionary(values.type):
        return values.indices.fill_null(-1)
    return pc.fill_null(values, "") if pa.types.is_string(values.type) else values


def _changed(before: pa.Table, now: pa.Table) -> dict[str, NDArray[np.bool_]]:
    """Return which links of both have another rank, and which another score."""
    found = {}
    for name in ("rank", "score"):
        if name in before.column_names:
            old, new = (pc.fill_null(one[name], -1).to_numpy() for one in (before, now))
            found[name] = old != new
    return found


def _counted(tables: list[pa.Table], changed: dict[str, NDArray[np.bool_]]) -> Difference:
    added, removed, before, _ = tables
    nothing = np.zeros(0, bool)
    return Difference(
        added=len(added),
        removed=len(removed),
        kept=len(before),
        uids_added=len(np.unique(added["from_uid"].to_numpy())),
        uids_removed=len(np.unique(removed["from_uid"].to_numpy())),
        rank_changed=int(np.count_nonzero(changed.get("rank", nothing))),
        score_changed=int(np.count_nonzero(changed.get("score", nothing))),
    )
