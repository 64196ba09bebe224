"""The commit record of a harvest, for reading: parts, UIDs with outcomes, and values of `meta`.

Rows of a harvest that the record does not name do not exist. `harvester.store.state` writes it.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from harvester.errors import FolderError, not_written, printable
from harvester.model import uids
from harvester.model.outcomes import ANSWERED
from harvester.store.no_locks import has_no_locks, without_locks
from harvester.store.opening import holds, opening
from harvester.store.sqlite import as_os_error, connect, is_failed_write, seal
from harvester.store.timeline import Timeline

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import Self

    from harvester.model.uids import UidSet

FILE = "state.sqlite"
VERSION = 1

ENDED, PARTIAL = "ended", "partial"
"""Values of `source` in `meta` once all input UIDs are known: from a whole source, or from an
unfinished harvest."""

MERGED = "united"
"""Outcome of the UIDs of a later pass that was merged: their outcomes are those of pass 1."""

REFRESHED, CONFIRMED = 1_000_001, 1_000_002
"""Numbers of the two readings of a refresh, as passes; they end when it is merged."""

_SEALED = {
    "meta": "SELECT key, value, seal FROM meta",
    "part": "SELECT name, kind, rows, bytes, checksum, seal FROM part",
    "settled": "SELECT sweep, outcome, reason, count, uids, seal FROM settled",
    "settled_at": "SELECT at, uids, seal FROM settled_at",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One committed file.

    Attributes:
        name: path below the harvest's folder, with forward slashes.
        kind: `links`; `uids`; `unanswered`: rows of `uids` for failed and missing UIDs; `again`:
            links of a later pass before it is merged; `refreshed` and `confirmed`: links of the two
            readings of a refresh before it is merged; or `raw`: kept responses.
        rows: number of rows.
        bytes: size of the file.
        checksum: XXH3 of 128 bits, in hexadecimal.
    """

    name: str
    kind: str
    rows: int
    bytes: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Settled:
    """UIDs that share an outcome, and a reason if they have one."""

    outcome: str
    uids: UidSet
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SettledAt:
    """UIDs that got their outcome at one time: milliseconds since 1970, by this machine."""

    at: int
    uids: UidSet


@dataclass(frozen=True, slots=True)
class Refresh:
    """A refresh that has begun and is not merged yet.

    Attributes:
        at: when it began, in milliseconds since 1970.
        uids: the UIDs to request again.
    """

    at: int
    uids: UidSet


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a job with `repeat`.

    Attributes:
        round: its number, from 1; the first requests the input.
        uids: number of UIDs that it requests; no earlier round did.
        done: number of them that have an outcome.
        links: number of rows of links.
    """

    round: int
    uids: int
    done: int
    links: int


class NotBegun(FolderError):
    """The state is empty: the process was killed while it created the file."""


class StateReader:
    """The state of one harvest, opened for reading, also while another process writes it.

    Args:
        path: path of `state.sqlite`.

    Raises:
        NotBegun: the file is empty.
        FolderError: the file is damaged, or was written by a newer version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._damage_as_folder_error(), opening(path):
            self._db, version = connect(path, read_only=True)
            try:
                self._check(version)
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> Self:
        """Return the state itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def __repr__(self) -> str:
        """Path and counts."""
        counts = ", ".join(f"{count} {name}" for name, count in self.statistics().items())
        return f"{type(self).__name__}({str(self._path)!r}: {counts})"

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Context in which all reads see the same commit, whatever other processes write."""
        self._db.execute("BEGIN")
        try:
            yield
        finally:
            self._db.execute("COMMIT")

    def get(self, key: str) -> Any:
        """Return a value of `meta`, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def wanted(self) -> UidSet | None:
        """Return the input UIDs known so far; None before the first are recorded."""
        data = self.get("wanted")
        return None if data is None else uids.load(data)

    def done(self, pass_number: int = 1) -> UidSet:
        """Return the UIDs that have an outcome in a pass."""
        return uids.union(one.uids for one in self.settled(pass_number))

    def merged(self, pass_number: int) -> UidSet:
        """Return the UIDs of a later pass whose answers are already merged."""
        return uids.union(one.uids for one in self.settled(pass_number) if one.outcome == MERGED)

    def answered(self) -> UidSet:
        """Return the UIDs that were answered whole, with links or without."""
        return uids.union(one.uids for one in self.settled() if one.outcome in ANSWERED)

    def unanswered(self) -> list[Settled]:
        """Return the failed and missing UIDs, with their reasons."""
        return [one for one in self.settled() if one.outcome not in ANSWERED]

    def outcomes(self, pass_number: int = 1) -> dict[str, int]:
        """Return how many UIDs have each outcome in a pass."""
        query = "SELECT outcome, SUM(count) FROM settled WHERE sweep = ? GROUP BY outcome"
        return dict(self._db.execute(query, (pass_number,)))

    def settled(self, pass_number: int = 1) -> list[Settled]:
        """Return the UIDs of each outcome in a pass, in the order of their commits."""
        query = "SELECT outcome, uids, reason FROM settled WHERE sweep = ? ORDER BY id"
        return [
            Settled(outcome, uids.load(data), reason)
            for outcome, data, reason in self._db.execute(query, (pass_number,))
        ]

    def settled_at(self) -> list[SettledAt]:
        """Return when UIDs got their outcome, the latest first; each UID is in one entry.

        For folders of earlier versions, it is the end of the last run.
        """
        found, left = [], self.done()
        if self._has("settled_at"):
            query = "SELECT at, uids FROM settled_at ORDER BY at DESC"
            for at, data in self._db.execute(query):
                if here := uids.load(data) & left:
                    found.append(SettledAt(at, here))
                    left -= here
        return [*found, SettledAt(self._ended_at(), left)] if left else found

    def refresh(self) -> Refresh | None:
        """Return the refresh that has begun and is not merged yet."""
        at = self.get("refresh")
        return Refresh(int(at), uids.load(self.get("refresh_uids"))) if at else None

    def rounds(self) -> list[Round]:
        """Return the counts of each round; none for a job without rounds."""
        if not (count := int(self.get("rounds") or 0)):
            return []
        done, links = self.done(), json.loads(self.get("round_links") or "{}")
        found = []
        for number in range(1, count + 1):
            members = uids.load(self.get(f"round-{number}"))
            rows = links.get(str(number), 0)
            found.append(Round(number, len(members), len(members & done), rows))
        return found

    def parts(self, *kinds: str) -> list[Part]:
        """Return the committed files of some kinds, or of all without any, by name."""
        query = "SELECT name, kind, rows, bytes, checksum FROM part ORDER BY name"
        parts = (Part(*row) for row in self._db.execute(query))
        return [part for part in parts if not kinds or part.kind in kinds]

    def links(self) -> int:
        """Return the number of rows in all parts of `links`."""
        query = "SELECT COALESCE(SUM(rows), 0) FROM part WHERE kind = 'links'"
        return int(self._db.execute(query).fetchone()[0])

    def progress(self) -> dict[str, Any]:
        """Return what the running or last process reported; empty before the first report."""
        data = self.get("progress")
        return {} if data is None else dict(json.loads(data))

    def timeline(self) -> Timeline | None:
        """Return the course of all runs; None if no run recorded it in a form that is known."""
        return Timeline.load(self.get("timeline"))

    def statistics(self) -> dict[str, int]:
        """Return counts of what is committed: parts, rows of links, UIDs with an outcome."""
        return {
            "parts": len(self.parts()),
            "links": self.links(),
            "uids": sum(self.outcomes().values()),
        }

    def _ended_at(self) -> int:
        try:
            ended = datetime.fromisoformat(self.progress()["updated_at"]).timestamp()
        except (KeyError, TypeError, ValueError):
            ended = self._path.stat().st_mtime
        return int(ended * 1000)

    def _has(self, table: str) -> bool:
        """Return whether there is a table; earlier versions have fewer."""
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        return self._db.execute(query, (table,)).fetchone() is not None

    @contextmanager
    def _damage_as_folder_error(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if is_failed_write(error, self._path):
                raise not_written(self._path, as_os_error(error, self._path.absolute())) from error
            if has_no_locks(error):
                raise without_locks(self._path.parent, error) from error
            raise FolderError(
                f"{self._path} cannot be read ({printable(str(error))}). Nothing was changed. "
                "Restore the file from a backup, or harvest into another folder."
            ) from error

    def _check(self, version: int) -> None:
        """Check that every row is as it was written.

        Raises:
            sqlite3.DatabaseError: one is not.
            FolderError: the version is none that can be read.
        """
        if version == 0:
            raise NotBegun(
                f"{self._path} is empty: the run stopped before its first commit. Run it again."
            )
        if version > VERSION:
            raise FolderError(
                f"{self._path} was written by a newer version of harvester; update this one."
            )
        found = self._db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        for table, query in _SEALED.items():
            if not self._has(table):  # SQLite itself names a missing one of the first three
                continue
            for *row, kept in self._db.execute(query):
                if seal(*row) != kept:
                    raise sqlite3.DatabaseError(f"a row of {table} is not as it was written")


def fold(settled: Iterable[Settled]) -> list[Settled]:
    """Return the same UIDs with one entry per outcome and reason."""
    together: dict[tuple[str, str | None], UidSet] = {}
    for one in settled:
        key = one.outcome, one.reason
        together[key] = together.get(key, uids.as_set()) | one.uids
    return [Settled(outcome, members, reason) for (outcome, reason), members in together.items()]


def look_up(folder: Path, *names: str) -> list[Any]:
    """Return values of `meta` of the harvest in a folder; None where there is none yet.

    Raises:
        FolderError: the state is damaged.
    """
    if not holds(folder, FILE):
        return [None] * len(names)
    try:
        with closing(StateReader(folder / FILE)) as state:
            return [state.get(name) for name in names]
    except NotBegun:
        return [None] * len(names)
