"""Parts and state together: commit, recover, merge, unite.

A part is written aside, synced and renamed into place; then one transaction names it and adds
the UIDs it covers. On opening, files that no record names are deleted. A crash at any instruction
costs what had not been committed, and never leaves a row lost or twice.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from harvester.errors import BadInput, FolderError
from harvester.model import schemas, uids
from harvester.model.distinct_targets import Targets
from harvester.model.outcomes import Outcome
from harvester.model.rows import RunLengthRows
from harvester.store import durable
from harvester.store.folder import JOB, LINKS, UNANSWERED, locked, see_no_orphans
from harvester.store.input_uids import Input
from harvester.store.parts import Parts, find_damage
from harvester.store.passes.unite import Uniting
from harvester.store.state import FILE, Part, Settled, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harvester.model.answer import Answer
    from harvester.store.sinks import Sink

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
        state: the commit record.
        input: the input UIDs.

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
            self.input = Input(self.state, idtype)
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
        see_same(self.folder, kept, identity)
        durable.write_text(self.folder / JOB, job_toml)
        if kept is None:
            self.state.put(identity=json.dumps(identity))

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
        linked, empty = uids.as_set(), uids.as_set()
        for answers in pieces:
            links = RunLengthRows.concat([answer.rows for answer in answers])
            if targets is not None:
                links = RunLengthRows.from_table(targets.unseen(links.to_table()))
            answered = np.concatenate([one.answered for one in answers])
            counts = np.concatenate([one.counts for one in answers])
            linked |= uids.as_set(np.sort(answered[counts > 0]))
            empty |= uids.as_set(np.sort(answered[counts == 0]))
            column = self.input.identifiers.column(answered)
            new += self._written(
                {"links": links, "uids": schemas.answered_rows(self._dbfrom, column, counts)}
            )
            rows += len(links)
        settled = [Settled(Outcome.LINKED, linked), Settled(Outcome.EMPTY, empty)]
        settled += [
            Settled(one.outcome, one.uids - linked - empty, one.reason)
            for one in self.state.unanswered()
        ]
        self.state.replace_all(
            old_parts=old, new_parts=new, settled=[one for one in settled if one.uids]
        )
        self._parts.delete(old)
        self.merge()
        self.write_unanswered()
        return rows

    def reopen(self) -> None:
        """Failed and missing UIDs are to be asked for again."""
        self.state.forget(uids.union(one.uids for one in self.state.unanswered()))
        self._drop(self.state.parts("unanswered"))
        durable.remove([self.folder / UNANSWERED])

    def commit(
        self,
        links: RunLengthRows | None,
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
        found = {"links": links, "uids": rows} if sweep == 1 else {"again": links}
        parts = self._written({**found, "raw": raw})
        self.state.commit(parts, settled, pass_number=sweep, meta=self.input.growth())

    def _written(self, found: Mapping[str, RunLengthRows | pa.Table | None]) -> list[Part]:
        """Rows of each kind as a part of their own, where there are any."""
        return [
            self._parts.write(kind, rows.to_tables() if isinstance(rows, RunLengthRows) else [rows])
            for kind, rows in found.items()
            if rows is not None and len(rows)
        ]

    def _unseen(self, links: RunLengthRows) -> RunLengthRows:
        if self._targets is None:
            self._targets = Targets(self.read_links())
        return RunLengthRows.from_table(self._targets.unseen(links.to_table()))

    def merge(self) -> None:
        """Join small parts to parts of about `MERGED_BYTES`."""
        for kind in ("links", "uids"):
            for group in _groups(self.state.parts(kind)):
                self.state.replace_parts(group, [self._parts.merge(group)])
                self._parts.delete(group)

    def unite(self, sweep: int) -> None:
        """Make what a later sweep found part of the whole, in one transaction."""
        uniting = Uniting(
            self.state, self._parts, self.folder, self._dbfrom, self._schema, self.input.identifiers
        )
        uniting.unite(sweep)

    def write_unanswered(self) -> None:
        """The rows of failed and missing UIDs, and their list, in place of older ones."""
        self._drop(self.state.parts("unanswered"))
        listed = self.folder / UNANSWERED
        tables = [
            schemas.unanswered_rows(
                self._dbfrom,
                self.input.identifiers.column(uids.as_array(s.uids)),
                s.outcome,
                s.reason,
            )
            for s in self.state.unanswered()
        ]
        if not tables:
            durable.remove([listed])
            return
        table = pa.concat_tables(tables).sort_by("from_uid")
        durable.write_text(listed, "".join(f"{uid}\n" for uid in table["from_uid"].to_pylist()))
        self.state.commit([self._parts.write("unanswered", [table])])

    def _drop(self, parts: Sequence[Part]) -> None:
        if parts:
            self.state.replace_parts(parts, [])
            self._parts.delete(parts)

    def _see_no_damage(self, recorded: Sequence[Part]) -> None:
        whole = sum(part.bytes for part in recorded) <= HASHED_BYTES
        for wrong in find_damage(self.folder, recorded, whole=whole).values():
            raise FolderError(
                f"{wrong}; nothing was changed. "
                "Restore it from a copy, or harvest into another folder."
            )


def see_same(folder: Path, kept: str | None, identity: dict[str, Any]) -> None:
    """See that a folder is tied to a job, or to none yet.

    Args:
        folder: of the harvest.
        kept: what its state has as its identity.
        identity: of the job.

    Raises:
        BadInput: the folder holds the harvest of another job; names the difference.
    """
    if kept is not None and (known := json.loads(kept)) != identity:
        raise BadInput(_difference(folder, known, identity))


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
