"""The commit record of a harvest in SQLite, for writing: one transaction per method of `State`."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from harvester.errors import FolderInUse
from harvester.model import uids
from harvester.store.claim import WATCH_SECONDS, Claim
from harvester.store.sqlite import connect, seal, transaction
from harvester.store.state_reader import (
    CONFIRMED,
    MERGED,
    REFRESHED,
    VERSION,
    Settled,
    SettledAt,
    StateReader,
    fold,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from harvester.model.uids import UidSet
    from harvester.store.state_reader import Part

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
    # sweep: number of the pass, from 1; once passes are merged, pass 1 has all outcomes
    # uids: a roaring bitmap
    """CREATE TABLE settled (
        id INTEGER PRIMARY KEY, sweep INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT,
        count INTEGER NOT NULL, uids BLOB NOT NULL, seal INTEGER NOT NULL
    )""",
    f"PRAGMA user_version = {VERSION}",
)

_DDL_TIMES = """CREATE TABLE settled_at (
    id INTEGER PRIMARY KEY, at INTEGER NOT NULL, uids BLOB NOT NULL, seal INTEGER NOT NULL
)"""
# at: when UIDs got their outcome, in milliseconds since 1970; of a UID in several rows the latest
# counts. Earlier versions have no such table, and leave it as it is.

_HOUR = 3_600_000
"""Milliseconds of an hour. Times within it are folded into the earliest."""


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
        self._claim: Claim | None = None
        self._fold_above = self._fold_times_above = _FOLD_ROWS
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
                if not self._has("settled_at"):
                    self._add_times()
            except BaseException:
                self._db.close()
                raise

    def claim(self) -> None:
        """Claim the harvest for this process, until it is closed.

        Raises:
            FolderInUse: a process on another host renews its claim.
        """
        known = Claim.load(self.get("claim"))
        mine = Claim.new()
        if known is not None and known.host != mine.host:
            until = time.monotonic() + WATCH_SECONDS
            while time.monotonic() < until:
                if (now := Claim.load(self.get("claim"))) != known and now is not None:
                    raise FolderInUse(
                        f"{self._path.parent} is in use by another harvest, {now.owner}."
                    )
                time.sleep(WATCH_SECONDS / 20)
        with transaction(self._db, self._path):
            self._put({"claim": mine.dump()})
        self._claim = mine

    def check_claim(self) -> None:
        """Check that no other process has claimed the harvest since.

        Raises:
            FolderInUse: one has.
        """
        if self._claim is None:
            return
        now = Claim.load(self.get("claim"))
        if now is None or now.token != self._claim.token:
            by = "another process" if now is None else now.owner
            raise FolderInUse(
                f"{self._path.parent} was taken over by {by}, which does not see the lock of this "
                "one. This run stops; all it has committed is kept."
            )

    def release(self) -> None:
        """Give up the claim."""
        if self._claim is not None:
            with suppress(OSError, sqlite3.Error, FolderInUse), self._transaction():
                self._db.execute("DELETE FROM meta WHERE key = 'claim'")
            self._claim = None

    def close(self) -> None:
        """Give up the claim, and close the file."""
        self.release()
        super().close()

    def serialized(self) -> bytes:
        """Return all committed data as the bytes of a SQLite file."""
        return self._db.serialize()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Context of a transaction of the process that has claimed the harvest."""
        with transaction(self._db, self._path):
            self.check_claim()
            yield

    def put(self, **values: str | bytes) -> None:
        """Set values of `meta`, together."""
        with self._transaction():
            self._put(values)
            if self._claim is not None:
                self._put({"claim": self._claim.renewed().dump()})

    def commit(
        self,
        parts: Iterable[Part],
        settled: Iterable[Settled] = (),
        *,
        pass_number: int = 1,
        meta: Mapping[str, str | bytes] | None = None,
        times: Iterable[SettledAt] | None = None,
    ) -> None:
        """Record new parts and the UIDs they cover, in one transaction.

        Args:
            parts: files that are on disk, whole and synced.
            settled: UIDs that have an outcome now.
            pass_number: the pass in which they were queried.
            meta: values of `meta` to set.
            times: when they got their outcome; now, by default.
        """
        settled = list(settled)
        if times is None and pass_number == 1 and settled:
            times = [SettledAt(_now(), uids.union(one.uids for one in settled))]
        with self._transaction():
            self._insert(parts)
            self._settle(settled, pass_number)
            self._fold(pass_number)
            self._put_times(times or ())
            self._put(meta or {})

    def replace_parts(self, old: Iterable[Part], new: Iterable[Part]) -> None:
        """Record some parts in place of others; outcomes stay."""
        with self._transaction():
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
        with self._transaction():
            self._delete(old_parts)
            self._insert(new_parts)
            if merged_pass is None:
                self._db.execute("DELETE FROM settled")
            else:
                self._db.execute("DELETE FROM settled WHERE sweep IN (1, ?)", (merged_pass,))
                self._settle([Settled(MERGED, merged)], merged_pass)
            self._settle(settled, 1)
            self._put(meta or {})

    def begin_refresh(self, members: UidSet, at: int) -> None:
        """Record which UIDs a refresh requests; see `Refresh`."""
        self.put(refresh=str(at), refresh_uids=uids.dump(members))

    def renew(
        self,
        *,
        old_parts: Iterable[Part],
        new_parts: Iterable[Part],
        settled: Sequence[Settled],
        meta: Mapping[str, str | bytes],
    ) -> None:
        """End a refresh: record new parts and outcomes of some UIDs in place of the old ones.

        Args:
            old_parts: parts that are replaced.
            new_parts: parts in their place.
            settled: the UIDs that have a new outcome.
            meta: values of `meta` to set.
        """
        refresh = self.refresh()
        assert refresh is not None
        renewed = uids.union(one.uids for one in settled)
        kept = [replace(one, uids=one.uids - renewed) for one in self.settled()]
        together = fold([*(one for one in kept if one.uids), *settled])
        with self._transaction():
            self._delete(old_parts)
            self._insert(new_parts)
            self._db.execute("DELETE FROM settled WHERE sweep IN (1, ?, ?)", (REFRESHED, CONFIRMED))
            self._settle(together, 1)
            self._put_times([SettledAt(refresh.at, renewed)])
            self._put({"refresh": "", "refresh_uids": b"", **meta})

    def forget(self, members: UidSet) -> None:
        """Remove UIDs from the outcomes of all passes, so that they are queried again."""
        query = "SELECT DISTINCT sweep FROM settled"
        kept = {number: self.settled(number) for (number,) in self._db.execute(query).fetchall()}
        with self._transaction():
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
        """Merge rows with equal outcome and reason: each row costs time at opening."""
        rows = self._db.execute("SELECT COUNT(*) FROM settled").fetchone()[0]
        if rows <= self._fold_above:
            return
        folded = fold(self.settled(pass_number))
        self._db.execute("DELETE FROM settled WHERE sweep = ?", (pass_number,))
        self._settle(folded, pass_number)
        self._fold_above = _FOLD_ROWS + 2 * len(folded)

    def _add_times(self) -> None:
        """Add the times that an earlier version did not record."""
        known = [one for one in self.settled_at() if one.uids]
        with transaction(self._db, self._path):
            self._db.execute(_DDL_TIMES)
            self._put_times(known)

    def _put_times(self, times: Iterable[SettledAt]) -> None:
        rows = [(one.at, uids.dump(one.uids)) for one in times]
        self._db.executemany(
            "INSERT INTO settled_at (at, uids, seal) VALUES (?, ?, ?)",
            [(*row, seal(*row)) for row in rows],
        )
        count = self._db.execute("SELECT COUNT(*) FROM settled_at").fetchone()[0]
        if count > self._fold_times_above:
            folded = _fold_times(self.settled_at())
            self._db.execute("DELETE FROM settled_at")
            self._fold_times_above = _FOLD_ROWS + 2 * len(folded)
            self._put_times(folded)

    def _delete(self, parts: Iterable[Part]) -> None:
        self._db.executemany("DELETE FROM part WHERE name = ?", [(p.name,) for p in parts])

    def _insert(self, parts: Iterable[Part]) -> None:
        rows = [(p.name, p.kind, p.rows, p.bytes, p.checksum) for p in parts]
        self._db.executemany(
            "INSERT INTO part (name, kind, rows, bytes, checksum, seal) VALUES (?, ?, ?, ?, ?, ?)",
            [(*row, seal(*row)) for row in rows],
        )


def _now() -> int:
    return time.time_ns() // 1_000_000


def _fold_times(times: Iterable[SettledAt]) -> list[SettledAt]:
    """Return the same UIDs with one entry per hour, which has the earliest time of the hour."""
    hours: dict[int, SettledAt] = {}
    for one in times:
        known = hours.get(one.at // _HOUR, SettledAt(one.at, uids.as_set()))
        hours[one.at // _HOUR] = SettledAt(min(known.at, one.at), known.uids | one.uids)
    return list(hours.values())
