"""The commit record in SQLite: parts, UIDs with their outcomes, the job, and the run's progress.

Rows of a harvest that this file does not name do not exist. `StateReader` reads it, also while
another process writes; `State` writes it, and each of its methods is one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harvester.errors import FolderError, printable
from harvester.model import uids
from harvester.model.outcomes import ANSWERED
from harvester.store.sqlite import as_os_error, connect, is_full, seal, transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import Self

    from harvester.model.uids import UidSet

FILE = "state.sqlite"
VERSION = 1

MERGED = "united"
"""Outcome of the UIDs of a later pass that was merged: their outcomes are those of pass 1."""

_FOLD_ROWS = 64
"""Rows of `settled` above which rows of equal pass, outcome and reason are folded into one."""

_DDL = (
    # seal: a checksum of the row's other values, because SQLite has none of its own
    """CREATE TABLE meta (
        key TEXT PRIMARY KEY, value BLOB, seal INTEGER NOT NULL
    ) WITHOUT ROWID""",
    # name: path below the harvest's folder, for example links/part-00000.parquet
    # kind: see `Part`
    """CREATE TABLE part (
        name TEXT PRIMARY KEY, kind TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
        checksum TEXT NOT NULL, seal INTEGER NOT NULL
    ) WITHOUT ROWID""",
    # sweep: number of the pass, from 1; once passes are merged, pass 1 has the outcomes of all
    # uids: a roaring bitmap
    """CREATE TABLE settled (
        id INTEGER PRIMARY KEY, sweep INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT,
        count INTEGER NOT NULL, uids BLOB NOT NULL, seal INTEGER NOT NULL
    )""",
    f"PRAGMA user_version = {VERSION}",
)

_SEALED = {
    "meta": "SELECT key, value, seal FROM meta",
    "part": "SELECT name, kind, rows, bytes, checksum, seal FROM part",
    "settled": "SELECT sweep, outcome, reason, count, uids, seal FROM settled",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One committed file.

    Attributes:
        name: path below the harvest's folder, with forward slashes.
        kind: `links`; `uids`; `unanswered`: rows of `uids` for failed and missing UIDs; `again`:
            links of a later pass before it is merged; or `raw`: kept responses.
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


class NotBegun(FolderError):
    """The state is empty: its process was killed while it created the file."""


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
        with self._damage_as_folder_error():
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
        """Context in which all reads see the same commit, whatever another process writes."""
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

    def statistics(self) -> dict[str, int]:
        """Return counts of what is committed: parts, rows of links, UIDs with an outcome."""
        return {
            "parts": len(self.parts()),
            "links": self.links(),
            "uids": sum(self.outcomes().values()),
        }

    @contextmanager
    def _damage_as_folder_error(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if is_full(error, self._path):
                raise as_os_error(error, self._path) from error
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
            for *row, kept in self._db.execute(query):
                if seal(*row) != kept:
                    raise sqlite3.DatabaseError(f"a row of {table} is not as it was written")


class State(StateReader):
    """The state of one harvest, opened for writing; created if it is missing.

    Args:
        path: path of `state.sqlite`.

    Raises:
        FolderError: the file is damaged, or was written by a newer version.
        OSError: the disk is full.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fold_above = _FOLD_ROWS
        with self._damage_as_folder_error():
            self._db, version = connect(path)
            try:
                if version <= VERSION:
                    self._db.execute("PRAGMA journal_mode = WAL")
                    self._db.execute("PRAGMA synchronous = FULL")
                if version == 0:
                    with transaction(self._db, path):
                        for statement in _DDL:
                            self._db.execute(statement)
                self._check(version or VERSION)
            except BaseException:
                self._db.close()
                raise

    def put(self, **values: str | bytes) -> None:
        """Set values of `meta`, together."""
        with transaction(self._db, self._path):
            self._put(values)

    def commit(
        self,
        parts: Iterable[Part],
        settled: Iterable[Settled] = (),
        *,
        pass_number: int = 1,
        meta: Mapping[str, str | bytes] | None = None,
    ) -> None:
        """Record new parts and the UIDs they cover: from now on they exist.

        Args:
            parts: files that are on disk, whole and synced.
            settled: UIDs that have an outcome now.
            pass_number: the pass in which they were queried.
            meta: values of `meta` to set.
        """
        with transaction(self._db, self._path):
            self._insert(parts)
            self._settle(settled, pass_number)
            self._fold(pass_number)
            self._put(meta or {})

    def replace_parts(self, old: Iterable[Part], new: Iterable[Part]) -> None:
        """Record some parts in place of others; outcomes stay."""
        with transaction(self._db, self._path):
            self._delete(old)
            self._insert(new)

    def replace_all(
        self,
        *,
        old_parts: Iterable[Part],
        new_parts: Iterable[Part],
        settled: Iterable[Settled],
        merged_pass: int | None = None,
        meta: Mapping[str, str | bytes] | None = None,
    ) -> None:
        """Record some parts in place of others, and new outcomes of all UIDs.

        Args:
            old_parts: parts that are replaced.
            new_parts: parts in their place.
            settled: every UID that has an outcome, over all passes.
            merged_pass: a later pass that is part of this; its UIDs stay done in it. Without one,
                all UIDs are done in pass 1 alone.
            meta: values of `meta` to set.
        """
        merged = None if merged_pass is None else self.done(merged_pass)
        with transaction(self._db, self._path):
            self._delete(old_parts)
            self._insert(new_parts)
            if merged_pass is None:
                self._db.execute("DELETE FROM settled")
            else:
                self._db.execute("DELETE FROM settled WHERE sweep IN (1, ?)", (merged_pass,))
                self._settle([Settled(MERGED, merged)], merged_pass)
            self._settle(settled, 1)
            self._put(meta or {})

    def forget(self, members: UidSet) -> None:
        """Remove UIDs from the outcomes of all passes, so that they are queried again."""
        query = "SELECT DISTINCT sweep FROM settled"
        kept = {number: self.settled(number) for (number,) in self._db.execute(query).fetchall()}
        with transaction(self._db, self._path):
            self._db.execute("DELETE FROM settled")
            for pass_number, settled in kept.items():
                left = [replace(one, uids=one.uids - members) for one in settled]
                self._settle((one for one in left if one.uids), pass_number)

    def _put(self, values: Mapping[str, str | bytes]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO meta (key, value, seal) VALUES (?, ?, ?)",
            [(key, value, seal(key, value)) for key, value in values.items()],
        )

    def _settle(self, settled: Iterable[Settled], pass_number: int) -> None:
        rows = [
            (pass_number, str(s.outcome), s.reason, len(s.uids), uids.dump(s.uids)) for s in settled
        ]
        self._db.executemany(
            "INSERT INTO settled (sweep, outcome, reason, count, uids, seal) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            [(*row, seal(*row)) for row in rows],
        )

    def _fold(self, pass_number: int) -> None:
        """Make one row of all that share an outcome and a reason: each costs time at opening."""
        rows = self._db.execute("SELECT COUNT(*) FROM settled").fetchone()[0]
        if rows <= self._fold_above:
            return
        folded = fold(self.settled(pass_number))
        self._db.execute("DELETE FROM settled WHERE sweep = ?", (pass_number,))
        self._settle(folded, pass_number)
        self._fold_above = _FOLD_ROWS + 2 * len(folded)

    def _delete(self, parts: Iterable[Part]) -> None:
        self._db.executemany("DELETE FROM part WHERE name = ?", [(p.name,) for p in parts])

    def _insert(self, parts: Iterable[Part]) -> None:
        rows = [(p.name, p.kind, p.rows, p.bytes, p.checksum) for p in parts]
        self._db.executemany(
            "INSERT INTO part (name, kind, rows, bytes, checksum, seal) VALUES (?, ?, ?, ?, ?, ?)",
            [(*row, seal(*row)) for row in rows],
        )


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
    if not (folder / FILE).is_file():
        return [None] * len(names)
    try:
        with closing(StateReader(folder / FILE)) as state:
            return [state.get(name) for name in names]
    except NotBegun:
        return [None] * len(names)
