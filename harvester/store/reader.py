"""A finished or running harvest, opened for reading.

Exports, reports and comparisons use this. It takes no lock, writes nothing, and needs no
permission to write in the folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from harvester.errors import BadInput, FolderError, nearest, printable
from harvester.model import uids
from harvester.model.identifiers import identifiers_of
from harvester.model.outcomes import ANSWERED
from harvester.model.row_schemas import link_schema, record_schema
from harvester.model.schemas import RAW, UIDS, with_ids
from harvester.store.folder import LINKS, RECORDS, check_harvest
from harvester.store.frames import joined
from harvester.store.identity import check_holds_links, known_identity
from harvester.store.kept_job import passes_of, read_job
from harvester.store.parts import find_damage, read_part
from harvester.store.state_reader import FILE, PARTIAL, REFRESHED, StateReader
from harvester.store.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from harvester.model.identifiers import Identifiers, Listed
    from harvester.model.uids import UidSet
    from harvester.store.state_reader import Part, Round, Settled, SettledAt


@dataclass(frozen=True, eq=False)
class HarvestReader:
    """The committed rows and facts of one harvest, as of the moment it was opened.

    While another process runs the harvest, its later commits are not seen. A run deletes small
    parts when it merges them: reading then raises a FolderError, and the harvest must be opened
    again.

    Attributes:
        folder: the harvest's folder.
        job: group → key → value of its `job.toml`.
        parts: the committed files, by name.
        settled: the UIDs of each outcome and reason, in the order of their commits.
        outcomes: outcome → number of UIDs.
        total: distinct input UIDs; while a search still brings more, those known so far.
        identity: the part of the job that later runs must repeat; None before the first commit.
        source_ended: whether all input UIDs are known.
        refreshing: counts of an unfinished refresh: `uids` to request again, and those `done`.
            The rows are still those before it.
        rounds: counts of each round of a job with `repeat`.
        partial_source: whether the input is from an unfinished harvest (`--partial`).
        progress: what the running or last process reported; empty before its first report.
        agreement: pass → linkname → how far it agrees with the passes before.
        warnings: what NCBI said about the query when it was sent.

    Example:
        ```
        harvest = HarvestReader.open(Path("out"))
        print(harvest.outcomes, harvest.link_count)
        for table in harvest.links("from_uid", "to_uid"):
            ...
        ```
    """

    folder: Path
    job: Mapping[str, Any]
    parts: Sequence[Part]
    settled: Sequence[Settled]
    outcomes: Mapping[str, int]
    total: int
    identity: Mapping[str, Any] | None
    source_ended: bool
    progress: Mapping[str, Any]
    agreement: Mapping[str, Any]
    warnings: list[str]
    partial_source: bool
    refreshing: Mapping[str, int] | None
    rounds: Sequence[Round]
    _wanted: bytes | None
    _accessions: bytes | None
    _last_pass: UidSet | None
    _rounds_ended: int
    _timeline: str | None

    @classmethod
    def open(cls, folder: Path) -> HarvestReader:
        """Open the harvest in a folder.

        Raises:
            BadInput: there is none, or a chain of them.
            FolderError: its state or its job is damaged, or was written by a newer version.
        """
        check_harvest(folder)
        with StateReader(folder / FILE) as state, state.snapshot():
            kept, job = state.get("identity"), read_job(folder)
            passes = passes_of(job)
            return cls(
                folder=folder,
                job=job,
                parts=state.parts(),
                settled=state.settled(),
                outcomes=state.outcomes(),
                total=int(state.get("total") or 0),
                identity=None if kept is None else known_identity(folder, kept),
                source_ended=state.get("source") is not None,
                partial_source=state.get("source") == PARTIAL,
                progress=state.progress(),
                _timeline=state.get("timeline"),
                agreement=_parsed(state.get("agreement")) or {},
                warnings=list(json.loads(state.get("warnings") or "[]")),
                refreshing=_refreshing(state),
                rounds=state.rounds(),
                _rounds_ended=int(state.get("rounds_ended") or 0),
                _wanted=state.get("wanted"),
                _accessions=state.get("accessions"),
                _last_pass=state.merged(passes) if passes > 1 else None,
            )

    def __repr__(self) -> str:
        """Show folder, kind of rows and counts."""
        return (
            f"HarvestReader({str(self.folder)!r}, {self.kind} of {self.dbfrom}, "
            f"{sum(self.outcomes.values())} of {self.total} UIDs, {self.link_count} rows)"
        )

    # --- what was asked -----------------------------------------------------------------------

    @property
    def link(self) -> Mapping[str, Any]:
        """The keys of the job's group `link`."""
        link: Mapping[str, Any] = self.job["link"]
        return link

    @property
    def dbfrom(self) -> str:
        """Database of the input UIDs; of records, their own database."""
        return str(self.link["dbfrom"])

    @property
    def cmd(self) -> str:
        """The cmd of ELink."""
        return str(self.link.get("cmd", "neighbor"))

    @property
    def idtype(self) -> str:
        """`uid`, or `acc` where UIDs are accessions."""
        return str(self.link.get("idtype", "uid"))

    def check_links(self) -> None:
        """Check that this is a harvest of links.

        Raises:
            BadInput: it holds records; says how to continue them.
        """
        if self.identity is not None:
            check_holds_links(self.folder, self.identity)

    @property
    def holds(self) -> Mapping[str, str]:
        """Content of the folder: `kind` (links or records), and `form` and `side` of records."""
        if self.identity is None:
            return {"kind": LINKS}
        holds: Mapping[str, str] = self.identity["holds"]
        return holds

    @cached_property
    def kind(self) -> str:
        """Kind of the rows: `links`, `targets` (distinct, without from_uid) or `records`."""
        if self.holds["kind"] == RECORDS:
            return RECORDS
        return "targets" if self.link.get("targets_only") else "links"

    @cached_property
    def schema(self) -> pa.Schema:
        """Schema of the tables of `links()`."""
        if self.kind == "records":
            return record_schema(self.holds.get("form", ""), idtype=self.idtype)
        return link_schema(
            self.cmd,
            targets_only=self.kind == "targets",
            idtype=self.idtype,
            rounds=self.has_rounds,
        )

    @property
    def has_rounds(self) -> bool:
        """True if the job follows its own targets (`repeat`): rows have a `round`."""
        return self.kind == LINKS and self._repeat > 1

    @property
    def _repeat(self) -> int:
        repeat = self.link.get("repeat", 1)
        return repeat if isinstance(repeat, int) else 1

    # --- what came of it ----------------------------------------------------------------------

    @property
    def link_count(self) -> int:
        """Rows that `links()` yields."""
        return sum(part.rows for part in self.parts if part.kind == "links")

    @cached_property
    def wanted(self) -> UidSet:
        """The input UIDs known so far; of accessions, their numbers."""
        return uids.as_set() if self._wanted is None else uids.load(self._wanted)

    @cached_property
    def done(self) -> UidSet:
        """The UIDs that have an outcome."""
        return uids.union(one.uids for one in self.settled)

    @cached_property
    def answered(self) -> UidSet:
        """The UIDs that were answered whole, with links or without."""
        return uids.union(one.uids for one in self.settled if one.outcome in ANSWERED)

    @property
    def unanswered(self) -> Sequence[Settled]:
        """The failed and missing UIDs, by reason."""
        return [one for one in self.settled if one.outcome not in ANSWERED]

    @property
    def complete(self) -> bool:
        """True if all input UIDs are known, each has an outcome, and all passes are merged."""
        if self._wanted is None or not self.source_ended or self.partial_source:
            return False
        if self.has_rounds and self._rounds_ended != self._repeat:
            return False
        return not any(
            self.wanted - done for done in (self.done, self._last_pass) if done is not None
        )

    @cached_property
    def timeline(self) -> Timeline | None:
        """The course of all runs; None if no run recorded it in a known form."""
        return Timeline.load(self._timeline)

    @cached_property
    def identifiers(self) -> Identifiers:
        """Notation of UIDs: as numbers, or as accessions."""
        return identifiers_of(self.idtype, self._accessions)

    def settled_at(self) -> list[SettledAt]:
        """Return when UIDs got their outcome, the latest first; each UID is in one entry."""
        with StateReader(self.folder / FILE) as state:
            return state.settled_at()

    def texts(self, members: UidSet) -> list[str]:
        """Return UIDs as written in lists, ascending by number."""
        return self.identifiers.texts(uids.as_array(members))

    def listed(self, members: UidSet) -> Listed:
        """Return UIDs as a source returns them: a set of numbers, or accessions as texts."""
        return self.texts(members) if self.idtype == "acc" else members

    # --- its rows -----------------------------------------------------------------------------

    def links(self, *columns: str) -> Iterator[pa.Table]:
        """Yield the committed rows of links, part by part, in tables that fit in memory.

        Args:
            columns: names of columns to read; all of `schema` without any.

        Raises:
            FolderError: a part is missing or damaged.
        """
        return self._read("links", columns)

    def uids(self, *columns: str) -> Iterator[pa.Table]:
        """Yield the committed rows of UIDs with their outcomes.

        During a run, and after it was interrupted, UIDs that failed or are missing may have no
        row yet; `settled` has all.

        Args:
            columns: names of columns to read; all without any.

        Raises:
            FolderError: a part is missing or damaged.
        """
        for kind in ("uids", "unanswered"):
            yield from self._read(kind, columns)

    def table(self, *columns: str) -> pa.Table:
        """Return the committed rows of links as one table; see `links`."""
        return joined(self.links(*columns), _chosen(self.schema, columns))

    def uid_table(self) -> pa.Table:
        """Return the committed rows of UIDs as one table; see `uids`."""
        return joined(self.uids(), with_ids(UIDS, self.identifiers.type))

    def raw(self) -> Iterator[pa.Table]:
        """Yield the kept responses, in the order of their commits; none without `keep_raw`.

        Raises:
            FolderError: a part is missing or damaged.
        """
        return self._read("raw", ())

    def part_schema(self, part: Part) -> pa.Schema:
        """Return the schema of the rows of a part."""
        match part.kind:
            case "links" | "again" | "refreshed" | "confirmed":
                return self.schema
            case "raw":
                return RAW
            case _:
                return with_ids(UIDS, self.identifiers.type)

    def read(self, part: Part, *columns: str) -> Iterator[pa.Table]:
        """Yield the rows of one part, in tables that fit in memory.

        Args:
            part: one of `parts`.
            columns: names of columns to read; all without any.

        Raises:
            FolderError: it is missing or damaged, or a running harvest has replaced it.
        """
        schema = _chosen(self.part_schema(part), columns)
        try:
            yield from read_part(self.folder, part, schema)
        except FolderError as error:
            if part in HarvestReader.open(self.folder).parts:
                raise
            raise FolderError(
                f"A running harvest has replaced {self.folder / part.name}. "
                f"Open {self.folder} again to read it as it is now."
            ) from error

    def damage(self) -> dict[Part, str]:
        """Read all files whole and compare them with their records.

        Returns:
            Damaged part → what is wrong, as half a sentence that begins with its path.
        """
        return find_damage(self.folder, self.parts, whole=True)

    def record_folders(self) -> list[Path]:
        """Return the folders of the records got for this harvest, which open as harvests."""
        return sorted(path.parent for path in (self.folder / RECORDS).glob(f"*/{FILE}"))

    def _read(self, kind: str, columns: Sequence[str]) -> Iterator[pa.Table]:
        for part in self.parts:
            if part.kind == kind:
                yield from self.read(part, *columns)


def _chosen(schema: pa.Schema, columns: Sequence[str]) -> pa.Schema:
    """Return some columns of a schema; all without names.

    Raises:
        BadInput: there is no such column.
    """
    for name in columns:
        if name not in schema.names:
            raise BadInput(f"There is no column '{printable(name)}'{nearest(name, schema.names)}.")
    return pa.schema([schema.field(name) for name in columns]) if columns else schema


def _refreshing(state: StateReader) -> dict[str, int] | None:
    refresh = state.refresh()
    if refresh is None:
        return None
    return {"uids": len(refresh.uids), "done": sum(state.outcomes(REFRESHED).values())}


def _parsed(text: str | None) -> dict[str, Any] | None:
    return None if text is None else dict(json.loads(text))
