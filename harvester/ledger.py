"""Parts and state together: commit, recover, merge, unite.

A part is written aside, synced and renamed into place; then one transaction names it and adds
the UIDs it covers. On opening, files that no record names are deleted. A crash at any instruction
costs what had not been committed, and never leaves a row lost or twice.
"""

from __future__ import annotations

import itertools
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from harvester import agreement, durable, schemas, uids
from harvester.errors import BadInput, FolderError
from harvester.folder import JOB, LINKS, UNANSWERED, locked, see_no_orphans
from harvester.identifiers import identifiers_of, numbered, written
from harvester.outcomes import ANSWERED, Outcome
from harvester.parts import SLICES, Parts
from harvester.slices import ROWS, Slices
from harvester.state import FILE, UNITED, Part, Settled, State, look_up
from harvester.targets import Targets
from harvester.union import unite

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harvester.eutils.answer import Answer
    from harvester.sinks import Sink
    from harvester.uids import UidArray, UidSet

MERGED_BYTES = 128 << 20
"""Parts are merged to about this size, which suits Spark, DuckDB and Polars alike."""

HASHED_BYTES = 2 << 30
"""Parts of so many bytes in all are read whole on opening; of more, sizes alone are looked at."""


class Ledger:
    """A harvest's folder, locked for this process.

    Args:
        folder: OUT; made if it is not there.
        sink: writes the parts.
        dbfrom: for the rows of `uids`.
        schema: of the rows of `links`.
        idtype: how UIDs are written: `uid` or `acc`.
        rows: the folder of the rows of `links`.

    Attributes:
        wanted: the input UIDs, as far as they are known.
        identifiers: how UIDs are written.

    Raises:
        FolderError: in use by another process, damaged, or newer.
        BadInput: the folder holds something else than a harvest.
    """

    def __init__(
        self,
        folder: Path,
        sink: Sink,
        dbfrom: str,
        schema: pa.Schema = schemas.NEIGHBOR_LINKS,
        idtype: str = "uid",
        rows: str = LINKS,
    ) -> None:
        self.folder = folder
        self._parts = Parts(folder, sink, rows)
        self._dbfrom = dbfrom
        self._schema = schema
        self._idtype = idtype
        self._has_targets = {"to_uid"} < set(schema.names) and "from_uid" not in schema.names
        self._targets: Targets | None = None
        with ExitStack() as undo:
            self._lock = locked(folder)
            undo.callback(self._lock.release)
            see_no_orphans(folder)
            self.state = State(folder / FILE)
            undo.callback(self.state.close)
            recorded = self.state.parts()
            self._see_no_damage(recorded)
            self._parts.tidy(recorded)
            self.identifiers = identifiers_of(idtype, self.state.get("accessions"))
            kept = self.state.wanted()
            self.wanted = uids.as_set() if kept is None else kept
            self._grown = False
            undo.pop_all()

    def __enter__(self) -> Ledger:
        """The ledger itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the state, then let go of the folder."""
        self.state.close()
        self._lock.release()

    def adopt(self, identity: dict[str, Any], job_toml: str) -> None:
        """Tie the folder to a job, or see that it is tied to the same one.

        Raises:
            BadInput: the folder holds the harvest of another job; names the difference.
        """
        kept = self.state.get("identity")
        if kept is not None:
            _see_same(self.folder, json.loads(kept), identity)
        durable.write_text(self.folder / JOB, job_toml)
        if kept is None:
            self.state.put(identity=json.dumps(identity))

    @property
    def source_ended(self) -> bool:
        """Whether all input UIDs are known."""
        return self.state.get("source") is not None

    def want(self, listed: UidSet | Iterable[str]) -> UidSet:
        """Add input UIDs to those known; those that are new. They are kept with the next commit."""
        together = self.wanted | self.identifiers.number_all(listed)
        new = together - self.wanted
        if new:
            self.wanted, self._grown = together, True
        return new

    def end_source(self) -> None:
        """All input UIDs are known: keep them."""
        self.state.put(source="ended", **self._growth())

    def _growth(self) -> dict[str, str | bytes]:
        """What is to be kept of input UIDs that came since the last time."""
        if not self._grown and self.state.get("total") is not None:
            return {}
        self._grown = False
        wanted = self.wanted
        kept: dict[str, str | bytes] = {"wanted": uids.dump(wanted), "total": str(len(wanted))}
        accessions = self.identifiers.dump()
        return kept | ({"accessions": accessions} if accessions else {})

    def read_links(self) -> Iterator[pa.Table]:
        """The committed rows of `links`, and those read again that are not united with them yet."""
        return self._parts.read(self.state.parts("links", "again"), self._schema)

    def read_raw(self) -> Iterator[pa.Table]:
        """The answers that were kept, in the order they came."""
        return self._parts.read(self.state.parts("raw"), schemas.RAW)

    def rewrite(self, pieces: Iterable[Sequence[Answer]]) -> int:
        """Links and outcomes made of answers, in place of those committed, in one transaction.

        Returns:
            Rows of links.
        """
        old, new, rows = self.state.parts("links", "uids"), [], 0
        targets = Targets() if self._has_targets else None
        for answers in pieces:
            links = pa.concat_tables([answer.links for answer in answers])
            if targets is not None:
                links = targets.unseen(links)
            column = self.identifiers.column(np.concatenate([one.answered for one in answers]))
            counts = np.concatenate([one.counts for one in answers])
            tables = {"links": links, "uids": schemas.answered_rows(self._dbfrom, column, counts)}
            new += [self._parts.write(kind, table) for kind, table in tables.items() if len(table)]
            rows += links.num_rows
        self.state.replace(old, new)
        self._parts.delete(old)
        self.merge()
        return rows

    def reopen(self) -> None:
        """Failed and missing UIDs are to be asked for again."""
        self.state.forget(uids.union(one.uids for one in self.state.unanswered()))
        self._drop(self.state.parts("unanswered"))
        durable.remove([self.folder / UNANSWERED])

    def commit(
        self,
        links: pa.Table | None,
        rows: pa.Table | None,
        settled: Sequence[Settled],
        sweep: int = 1,
        raw: pa.Table | None = None,
    ) -> None:
        """Make rows and the outcomes of their UIDs permanent, together.

        Args:
            links: rows of `links`, or None.
            rows: rows of `uids` for the linked and empty UIDs among `settled`, or None. Of a
                later sweep they are not kept: they are made anew when it is united.
            settled: all UIDs that have an outcome now.
            sweep: in which they were asked for.
            raw: the answers as they came, where they are kept.
        """
        if links is not None and self._has_targets:
            links = self._unseen(links)
        tables = {"links": links, "uids": rows} if sweep == 1 else {"again": links}
        tables["raw"] = raw
        parts = [
            self._parts.write(kind, table)
            for kind, table in tables.items()
            if table is not None and table.num_rows
        ]
        self.state.commit(parts, settled, sweep, **self._growth())

    def _unseen(self, links: pa.Table) -> pa.Table:
        if self._targets is None:
            self._targets = Targets(self.read_links())
        return self._targets.unseen(links)

    def merge(self) -> None:
        """Join small parts to parts of about `MERGED_BYTES`."""
        for kind in ("links", "uids"):
            for group in _groups(self.state.parts(kind)):
                self.state.replace(group, [self._parts.merge(group)])
                self._parts.delete(group)

    def unite(self, sweep: int) -> None:
        """Make what a later sweep found part of the whole, in one transaction.

        All rows are written anew: the union of both readings, in ranges of UIDs.
        """
        fresh = [one for one in self.state.settled(sweep) if one.outcome != UNITED]
        if not fresh:
            return
        before = self.state.settled()
        first, again = (_answered(settled) for settled in (before, fresh))
        answered, both = first | again, first & again
        old = self.state.parts()
        linked = uids.as_set()
        new: list[Part] = []
        said = json.loads(self.state.get("agreement") or "{}")
        agreed = agreement.from_json(said.get(str(sweep), {}))
        bounds = _bounds(answered, sum(part.rows for part in old if part.kind != "uids"))
        tos = identifiers_of(self._idtype)
        with Slices(self.folder / SLICES, bounds, schemas.NEIGHBOR_LINKS) as slices:
            for kind in ("links", "again"):
                read = self._parts.read(self.state.parts(kind), self._schema)
                slices.fill(kind, (numbered(table, self.identifiers, tos) for table in read))
            for number, asked in enumerate(_cut(answered, bounds)):
                table, found = unite(
                    slices.read("links", number),
                    slices.read("again", number),
                    uids.as_array(both & asked),
                )
                for name, one in found.items():
                    agreed[name] = agreed.get(name, agreement.Agreement()) + one
                rows = uids.as_array(asked)
                counts = uids.count(table["from_uid"].to_numpy(), rows)
                linked |= uids.as_set(rows[counts > 0])
                column = self.identifiers.column(rows)
                tables = {
                    "links": written(table, self.identifiers, tos),
                    "uids": schemas.answered_rows(self._dbfrom, column, counts),
                }
                new += [self._parts.write(kind, t) for kind, t in tables.items() if t.num_rows]
        settled = [Settled(Outcome.LINKED, linked), Settled(Outcome.EMPTY, answered - linked)]
        settled += _still_unanswered([*before, *fresh], answered)
        said[str(sweep)] = agreement.to_json(agreed)
        self.state.unite(sweep, (old, new), settled, agreement=json.dumps(said))
        self._parts.delete(old)

    def write_unanswered(self) -> None:
        """The rows of failed and missing UIDs, and their list, in place of older ones."""
        self._drop(self.state.parts("unanswered"))
        listed = self.folder / UNANSWERED
        tables = [
            schemas.unanswered_rows(
                self._dbfrom, self.identifiers.column(uids.as_array(s.uids)), s.outcome, s.reason
            )
            for s in self.state.unanswered()
        ]
        if not tables:
            durable.remove([listed])
            return
        table = pa.concat_tables(tables).sort_by("from_uid")
        durable.write_text(listed, "".join(f"{uid}\n" for uid in table["from_uid"].to_pylist()))
        self.state.commit([self._parts.write("unanswered", table)])

    def _drop(self, parts: Sequence[Part]) -> None:
        if parts:
            self.state.replace(parts, [])
            self._parts.delete(parts)

    def _see_no_damage(self, recorded: Sequence[Part]) -> None:
        whole = sum(part.bytes for part in recorded) <= HASHED_BYTES
        for wrong in self._parts.damage(recorded, whole=whole):
            raise FolderError(
                f"{wrong}; nothing was changed. "
                "Restore it from a copy, or harvest into another folder."
            )


def see_same(folder: Path, identity: dict[str, Any]) -> None:
    """See that a folder is tied to a job, or to none yet, without opening it for writing.

    Raises:
        BadInput: the folder holds the harvest of another job; names the difference.
    """
    kept = look_up(folder, "identity")
    if kept is not None:
        _see_same(folder, json.loads(kept), identity)


def _see_same(folder: Path, kept: dict[str, Any], identity: dict[str, Any]) -> None:
    if kept != identity:
        raise BadInput(_difference(folder, kept, identity))


def _answered(settled: Sequence[Settled]) -> UidSet:
    return uids.union(one.uids for one in settled if one.outcome in ANSWERED)


def _still_unanswered(settled: Sequence[Settled], answered: UidSet) -> list[Settled]:
    """Those never answered, each with the first of its outcomes and reasons."""
    taken = answered.copy()
    left = []
    for one in settled:
        if one.outcome in (Outcome.MISSING, Outcome.FAILED) and (rest := one.uids - taken):
            left.append(Settled(one.outcome, rest, one.reason))
            taken |= rest
    return left


def _bounds(answered: UidSet, rows: int) -> UidArray:
    """The lowest UID of each range but the first, so that each has about `ROWS` rows."""
    count = min(-(-rows // ROWS), len(answered)) or 1
    return np.array([answered[len(answered) * i // count] for i in range(1, count)], np.int64)


def _cut(answered: UidSet, bounds: UidArray) -> Iterator[UidSet]:
    """The UIDs of each range."""
    places = [0, *(answered.rank(bound) - 1 for bound in bounds.tolist()), len(answered)]
    for start, end in itertools.pairwise(places):
        yield answered[start:end]


def _groups(parts: Sequence[Part]) -> list[list[Part]]:
    """Neighbouring parts that together make one of about `MERGED_BYTES`, two or more each."""
    groups: list[list[Part]] = [[]]
    size = 0
    for part in parts:
        if part.bytes >= MERGED_BYTES // 2:
            continue
        if size + part.bytes > MERGED_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(part)
        size += part.bytes
    return [group for group in groups if len(group) > 1]


def _difference(folder: Path, kept: dict[str, Any], asked: dict[str, Any]) -> str:
    for group, values in kept.items():
        for key, value in values.items():
            if asked[group].get(key) != value:
                name = f"{group}.{key}"
                return (
                    f"{folder} holds a harvest with {name} = {value}, not "
                    f"{asked[group].get(key)}; give another --out for another job."
                )
    return f"{folder} holds the harvest of another job; give another --out."
