"""A harvest's folder opened for writing: parts and state together.

A part is written aside, synced and renamed into place; then one transaction records it together
with the UIDs it covers. On opening, files that no record names are deleted. After a crash at any
instruction, only uncommitted rows are missing, and no row is there twice.
"""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from harvester.errors import FolderError, FolderInUse
from harvester.model import schemas
from harvester.model.distinct_targets import Targets
from harvester.model.row_schemas import ROUND
from harvester.model.rows import RunLengthRows
from harvester.store import durable
from harvester.store.folder import JOB, LINKS, check_no_orphans, lock_folder, remove_manifest
from harvester.store.identity import check_not_mixed, check_same_job, known_identity
from harvester.store.input_uids import Input
from harvester.store.parts import Parts, find_damage
from harvester.store.remote.mirror import Mirror
from harvester.store.state import State
from harvester.store.state_reader import CONFIRMED, FILE, REFRESHED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

    from harvester.store.commit import Commit
    from harvester.store.sinks import Sink
    from harvester.store.state_reader import Part, Settled

_KINDS = {REFRESHED: "refreshed", CONFIRMED: "confirmed"}
"""Number of a pass → kind of its links until they are merged; `again` for other passes."""

HASHED_BYTES = 2 << 30
"""Bytes of all parts up to which opening compares checksums; above, only sizes."""


class Ledger:
    """A harvest's folder, opened for writing and locked for this process.

    Args:
        folder: the harvest's folder; created if it is missing.
        sink: writes the parts.
        dbfrom: database of the input UIDs.
        schema: schema of the rows of `links`.
        idtype: how UIDs are written: `uid` or `acc`.
        rows: name of the folder of the rows of `links`.

    Attributes:
        folder, dbfrom, schema: as given.
        parts: the files.
        state: the commit record.
        input: the input UIDs.
        round: number that the rows of links get, from 1; None for a job without rounds.
        changed: whether parts were written or replaced since the folder was opened.

    Raises:
        FolderError: the folder is in use by another process or damaged, or was written by a
            newer version.
        BadInput: the folder holds something other than a harvest, or links where there should be
            records.
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
        self.dbfrom = dbfrom
        self.schema = schema
        self._mirror = Mirror.of(folder)
        self.parts = Parts(folder, sink, rows, self._mirror.tag if self._mirror else "")
        self.changed = False
        self._targets: Targets | None = None
        self.round: int | None = None
        self._described = True
        with ExitStack() as undo:
            self._lock = lock_folder(folder)
            undo.callback(self._lock.release)
            if self._mirror is not None:
                self._mirror.pull(parts=True)
                self._mirror.check_free()
            check_no_orphans(folder)
            self.state = State(folder / FILE)
            undo.callback(self.state.close)
            self.state.claim()
            recorded = self.state.parts()
            check_not_mixed(folder, recorded, rows)
            self._check_parts(recorded)
            self.parts.tidy(recorded)
            self.input = Input(self.state, idtype)
            self.publish()
            undo.pop_all()

    def __enter__(self) -> Ledger:
        """Return the ledger itself."""
        return self

    def __exit__(
        self, _: object = None, error: BaseException | None = None, __: object = None
    ) -> None:
        """Close the state, then release the lock."""
        try:
            if self._mirror is not None and not isinstance(error, FolderInUse):
                self.state.release()
                self.publish()
        except FolderError as second:
            if error is None:
                raise
            error.add_note(str(second))
        finally:
            self.state.close()
            self._lock.release()

    def __repr__(self) -> str:
        """Folder and counts."""
        counts = ", ".join(f"{count} {name}" for name, count in self.state.statistics().items())
        return f"Ledger({str(self.folder)!r}, {self.dbfrom}: {counts})"

    def adopt(self, identity: dict[str, Any], job_toml: str) -> None:
        """Record the identity and the job in a new folder, or check that they are the same.

        Raises:
            BadInput: the folder holds something else; names the difference.
        """
        kept = self.state.get("identity")
        check_same_job(self.folder, kept, identity)
        self.begin()
        durable.write_text(self.folder / JOB, job_toml)
        if kept is None or "version" not in json.loads(kept):
            if kept is not None:
                identity = identity | {"shards": known_identity(self.folder, kept)["shards"]}
            self.state.put(identity=json.dumps(identity), **self._times())
        elif self.state.get("started_at") is None:
            self.state.put(**self._times())

    def begin(self) -> None:
        """Remove the manifest: the files that it describes are about to change."""
        if self._described:
            remove_manifest(self.folder)
            self._described = False

    def publish(self) -> None:
        """Make what is committed known to the object store, if the harvest is in one.

        Raises:
            FolderInUse: another process has taken the harvest over.
            FolderError: the store cannot be used.
        """
        if self._mirror is not None:
            self._mirror.publish(self.state)

    @property
    def targets_only(self) -> bool:
        """True if rows of links are distinct targets, without from_uid."""
        names = self.schema.names
        return "to_uid" in names and "from_uid" not in names

    def read_links(self) -> Iterator[pa.Table]:
        """Yield the committed rows of links, including those of a pass that is not merged yet."""
        return self.parts.read(self.state.parts("links", "again"), self.schema)

    def read_raw(self) -> Iterator[pa.Table]:
        """Yield the kept responses, in the order of their commits."""
        return self.parts.read(self.state.parts("raw"), schemas.RAW)

    def commit(self, commit: Commit) -> None:
        """Make rows and the outcomes of their UIDs permanent, together.

        Rows of `uids` of a later pass are not kept: they are written when the pass is merged.
        """
        self.state.check_claim()  # before files are written that another process may own
        self.state.commit(
            self.write(commit),
            commit.settled,
            pass_number=commit.pass_number,
            meta=self.input.growth() | self._links_of_rounds(commit),
        )
        self.publish()

    def record(
        self, parts: Sequence[Part], settled: Sequence[Settled], pass_number: int = 1
    ) -> None:
        """Make files in the folder permanent, with the outcomes of their UIDs."""
        self.begin()
        self.changed = True
        self.state.check_claim()
        meta = self.input.growth()
        self.state.commit(parts, settled, pass_number=pass_number, meta=meta)
        self.publish()

    def write(self, commit: Commit) -> list[Part]:
        """Write the rows of a commit as parts, one for each kind, without recording them."""
        self.begin()
        self.changed = True
        links = commit.links
        if links is not None and self.targets_only:
            links = self._new_targets(links)
        if links is not None and self.round is not None:
            links = links.with_value(ROUND, self.round)
        tables: dict[str, RunLengthRows | pa.Table | None] = (
            {"links": links, "uids": commit.uids}
            if commit.pass_number == 1
            else {_KINDS.get(commit.pass_number, "again"): links}
        )
        return [
            self.parts.write(kind, rows.to_tables() if isinstance(rows, RunLengthRows) else [rows])
            for kind, rows in {**tables, "raw": commit.raw}.items()
            if rows is not None and len(rows)
        ]

    def replace_parts(self, old: Sequence[Part], new: Sequence[Part]) -> None:
        """Record parts in place of others, and delete the files of those."""
        if old or new:
            self.begin()
            self.changed = True
            self.state.replace_parts(old, new)
            self.parts.delete(old)

    def reset_targets(self) -> None:
        """Treat all targets as new: the committed links are about to be replaced."""
        self._targets = Targets()

    def _links_of_rounds(self, commit: Commit) -> dict[str, str]:
        """Return the value of `meta` that counts the links of each round."""
        if self.round is None or commit.links is None:
            return {}
        counts = json.loads(self.state.get("round_links") or "{}")
        counts[str(self.round)] = counts.get(str(self.round), 0) + len(commit.links)
        return {"round_links": json.dumps(counts)}

    def _new_targets(self, links: RunLengthRows) -> RunLengthRows:
        """Return the rows whose target no committed row has."""
        if self._targets is None:
            self._targets = Targets(self.read_links())
        return RunLengthRows.from_table(self._targets.unseen(links.to_table()))

    def _times(self) -> dict[str, str]:
        """Return when the harvest began and ended; an earlier version kept only its last run."""
        before = self.state.progress()
        if not before:
            return {"started_at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        return {"started_at": before["started_at"], "ended_at": before["updated_at"]}

    def _check_parts(self, recorded: Sequence[Part]) -> None:
        whole = sum(part.bytes for part in recorded) <= HASHED_BYTES
        for wrong in find_damage(self.folder, recorded, whole=whole).values():
            raise FolderError(
                f"{wrong}. Nothing was changed. "
                "Restore the file from a backup, or harvest into another folder."
            )
