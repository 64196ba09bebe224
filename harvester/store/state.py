"""The commit record, in SQLite: parts, settled UIDs, the job, and the progress others may read.

What is not recorded here does not exist. Every method that writes is one transaction.
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
from harvester.store.sqlite import as_os_error, connected, is_full, seal, transaction

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from harvester.model.uids import UidSet

FILE = "state.sqlite"
VERSION = 1

UNITED = "united"
"""In place of an outcome: what a later sweep found of these UIDs is in the outcomes of all."""

_ROWS = 64
"""Of UIDs with their outcomes, before those of the same outcome are folded into one."""

_SCHEMA = """
-- seal: a checksum of the row's other values, since SQLite has none of its own
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB, seal INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE part (
    name TEXT PRIMARY KEY,  -- below the harvest's folder, like links/part-00000.parquet
    kind TEXT NOT NULL,     -- links, or uids, or unanswered: the uids rows of failed and
                            -- missing, or again: links of a later sweep, not united yet
    rows INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum TEXT NOT NULL, seal INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE settled (
    id INTEGER PRIMARY KEY,
    sweep INTEGER NOT NULL, -- the outcomes of the first are those of all, once united
    outcome TEXT NOT NULL, reason TEXT, count INTEGER NOT NULL,
    uids BLOB NOT NULL,     -- a roaring bitmap
    seal INTEGER NOT NULL
);
"""
_SEALED = {
    "meta": "key, value",
    "part": "name, kind, rows, bytes, checksum",
    "settled": "sweep, outcome, reason, count, uids",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One committed file.

    Attributes:
        name: path below the harvest's folder, with forward slashes.
        kind: `links`, `uids`, `unanswered` or `again`.
    """

    name: str
    kind: str
    rows: int
    bytes: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Settled:
    """UIDs that share an outcome, and a reason where they have one."""

    outcome: str
    uids: UidSet
    reason: str | None = None


class State:
    """The state of one harvest.

    Args:
        path: of `state.sqlite`.
        read_only: look without touching, also while another process writes.

    Raises:
        FolderError: the file is damaged, or of a newer version.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        self._path = path
        self._few_rows = _ROWS
        try:
            self._db, version = connected(path, "ro" if read_only else "rwc")
            if version <= VERSION and not read_only:
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
            if version == 0 and not read_only:
                with transaction(self._db, self._path):
                    for statement in _SCHEMA.split(";"):
                        self._db.execute(statement)
                    self._db.execute(f"PRAGMA user_version = {VERSION}")
            if version == VERSION:
                self._check()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if is_full(error, path):
                raise as_os_error(error, path) from error
            raise FolderError(
                f"{path} cannot be read ({printable(str(error))}); nothing was "
                "changed. Restore it from a copy, or harvest into another folder."
            ) from error
        if version == 0 and read_only:
            self._db.close()
            raise Unbegun(f"{path} is empty: the harvest ended as it began; run it again.")
        if version > VERSION:
            self._db.close()
            raise FolderError(
                f"{path} was written by a newer version of harvester; update this one."
            )

    def close(self) -> None:
        """Let go of the file."""
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
        """A value of `meta`, or None."""
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def put(self, **values: str | bytes) -> None:
        """Set values of `meta`, together."""
        with transaction(self._db, self._path):
            self._put(values)

    def wanted(self) -> UidSet | None:
        """The input UIDs, or None before they were all read."""
        data = self.get("wanted")
        return None if data is None else uids.load(data)

    def done(self, sweep: int = 1) -> UidSet:
        """UIDs with an outcome in a sweep."""
        return uids.union(one.uids for one in self.settled(sweep))

    def answered(self) -> UidSet:
        """UIDs that were answered whole, with links or without."""
        return uids.union(one.uids for one in self.settled() if one.outcome in ANSWERED)

    def outcomes(self, sweep: int = 1) -> dict[str, int]:
        """How many UIDs have each outcome."""
        query = "SELECT outcome, SUM(count) FROM settled WHERE sweep = ? GROUP BY outcome"
        return dict(self._db.execute(query, (sweep,)))

    def settled(self, sweep: int = 1) -> list[Settled]:
        """The UIDs of each outcome in a sweep, in the order they were settled."""
        query = "SELECT outcome, uids, reason FROM settled WHERE sweep = ? ORDER BY id"
        return [
            Settled(outcome, uids.load(data), reason)
            for outcome, data, reason in self._db.execute(query, (sweep,))
        ]

    def parts(self, *kinds: str) -> list[Part]:
        """The committed files of some kinds, or of all, in the order of their names."""
        marks = ",".join("?" * len(kinds))
        where = f"WHERE kind IN ({marks})" if kinds else ""
        query = f"SELECT name, kind, rows, bytes, checksum FROM part {where} ORDER BY name"  # noqa: S608 - only marks
        return [Part(*row) for row in self._db.execute(query, kinds)]

    def links(self) -> int:
        """Rows in all parts of `links`."""
        query = "SELECT COALESCE(SUM(rows), 0) FROM part WHERE kind = 'links'"
        return int(self._db.execute(query).fetchone()[0])

    def unanswered(self) -> list[Settled]:
        """The failed and missing UIDs, with their reasons."""
        return [one for one in self.settled() if one.outcome not in ANSWERED]

    def commit(
        self,
        parts: Iterable[Part],
        settled: Iterable[Settled] = (),
        sweep: int = 1,
        **values: str | bytes,
    ) -> None:
        """New parts and the UIDs they cover, with values of `meta`: this makes all of it exist."""
        with transaction(self._db, self._path):
            self._insert(parts)
            self._settle(settled, sweep)
            self._fold(sweep)
            self._put(values)

    def replace(
        self, old: Iterable[Part], new: Iterable[Part], settled: Iterable[Settled] | None = None
    ) -> None:
        """Some parts in place of others, and the outcomes of all UIDs where those change, too."""
        with transaction(self._db, self._path):
            self._delete(old)
            self._insert(new)
            if settled is not None:
                self._db.execute("DELETE FROM settled")
                self._settle(settled, 1)

    def unite(
        self,
        sweep: int,
        parts: tuple[Iterable[Part], Iterable[Part]],
        settled: Iterable[Settled],
        **values: str,
    ) -> None:
        """What a later sweep found becomes part of the whole.

        Args:
            sweep: whose UIDs have no outcome of their own from now on, but stay done.
            parts: old ones, and those in their place.
            settled: every UID with its outcome over all sweeps.
            values: of `meta`.
        """
        old, new = parts
        swept = self.done(sweep)
        with transaction(self._db, self._path):
            self._delete(old)
            self._insert(new)
            self._db.execute("DELETE FROM settled WHERE sweep IN (1, ?)", (sweep,))
            self._settle(settled, 1)
            self._settle([Settled(UNITED, swept)], sweep)
            self._put(values)

    def forget(self, unanswered: UidSet) -> None:
        """Failed and missing UIDs are done in no sweep any more: they will be asked for again."""
        sweeps = [row[0] for row in self._db.execute("SELECT DISTINCT sweep FROM settled")]
        kept = {sweep: self.settled(sweep) for sweep in sweeps}
        with transaction(self._db, self._path):
            self._db.execute("DELETE FROM settled")
            for sweep, settled in kept.items():
                left = [replace(one, uids=one.uids - unanswered) for one in settled]
                self._settle((one for one in left if one.uids), sweep)

    def progress(self) -> dict[str, Any]:
        """What the running or last process said of itself; empty before the first."""
        data = self.get("progress")
        return {} if data is None else dict(json.loads(data))

    def _put(self, values: Mapping[str, str | bytes]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?, ?)",
            [(key, value, seal(key, value)) for key, value in values.items()],
        )

    def _settle(self, settled: Iterable[Settled], sweep: int) -> None:
        columns = "sweep, outcome, reason, count, uids"
        rows = [(sweep, str(s.outcome), s.reason, len(s.uids), uids.dump(s.uids)) for s in settled]
        self._db.executemany(
            f"INSERT INTO settled ({columns}, seal) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own names
            [(*row, seal(*row)) for row in rows],
        )

    def _fold(self, sweep: int) -> None:
        """Where rows of the same outcome are many, one in place of them: each costs at opening."""
        rows = self._db.execute("SELECT COUNT(*) FROM settled").fetchone()[0]
        if rows <= self._few_rows:
            return
        together: dict[tuple[str, str | None], UidSet] = {}
        for one in self.settled(sweep):
            key = one.outcome, one.reason
            together[key] = together.get(key, uids.as_set()) | one.uids
        self._db.execute("DELETE FROM settled WHERE sweep = ?", (sweep,))
        folded = [Settled(outcome, found, reason) for (outcome, reason), found in together.items()]
        self._settle(folded, sweep)
        self._few_rows = _ROWS + 2 * len(together)

    def _delete(self, parts: Iterable[Part]) -> None:
        self._db.executemany("DELETE FROM part WHERE name = ?", [(p.name,) for p in parts])

    def _insert(self, parts: Iterable[Part]) -> None:
        rows = [(p.name, p.kind, p.rows, p.bytes, p.checksum) for p in parts]
        self._db.executemany(
            "INSERT INTO part VALUES (?, ?, ?, ?, ?, ?)", [(*row, seal(*row)) for row in rows]
        )

    def _check(self) -> None:
        """See that every row is as it was written.

        Raises:
            sqlite3.DatabaseError: one is not.
        """
        found = self._db.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        for table, columns in _SEALED.items():
            for *row, kept in self._db.execute(f"SELECT {columns}, seal FROM {table}"):  # noqa: S608 - our own names
                if seal(*row) != kept:
                    raise sqlite3.DatabaseError(f"a row of {table} is not as it was written")


class Unbegun(FolderError):
    """There is a state, with nothing in it: whoever made it was killed at that moment."""


def look_up(folder: Path, *names: str) -> list[Any]:
    """What is kept under names in a folder; None where there is no state, or nothing in it.

    Raises:
        FolderError: the state is damaged.
    """
    if not (folder / FILE).is_file():
        return [None] * len(names)
    try:
        with closing(State(folder / FILE, read_only=True)) as state:
            return [state.get(name) for name in names]
    except Unbegun:
        return [None] * len(names)
