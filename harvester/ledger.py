"""Parts and state together: commit, recover, merge.

A part is written aside, synced and renamed into place; then one transaction names it and adds
the UIDs it covers. On opening, files that no record names are deleted. A crash at any instruction
costs what had not been committed, and never leaves a row lost or twice.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from filelock import FileLock, Timeout

from harvester import durable, uids
from harvester.errors import BadInput, FolderError
from harvester.schemas import UIDS
from harvester.state import FILE, Part, Settled, State

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from harvester.sinks import Sink
    from harvester.uids import UidSet

LOCK = ".lock"
JOB = "job.toml"
UNANSWERED = "unanswered.txt"
MERGED_BYTES = 128 << 20
"""Parts are merged to about this size, which suits Spark, DuckDB and Polars alike."""

_FOLDERS = ("links", "uids")
_PART = re.compile(r"part-\d{5,}\.[a-z.]+|\.part-\d{5,}\.[a-z.]+\.tmp")
_OURS = {LOCK, JOB, FILE, UNANSWERED, f".{JOB}.tmp", f".{UNANSWERED}.tmp", *_FOLDERS}
_OURS |= {f"{FILE}-wal", f"{FILE}-shm", f"{FILE}-journal"}


class Ledger:
    """A harvest's folder, locked for this process.

    Args:
        folder: OUT; made if it is not there.
        sink: writes the parts.
        dbfrom: for the rows of unanswered UIDs.

    Raises:
        FolderError: in use by another process, damaged, or newer.
        BadInput: the folder holds something else than a harvest.
    """

    def __init__(self, folder: Path, sink: Sink, dbfrom: str) -> None:
        self.folder = folder
        self._sink = sink
        self._dbfrom = dbfrom
        with ExitStack() as undo:
            self._lock = _locked(folder)
            undo.callback(self._lock.release)
            _see_no_orphans(folder)
            for name in _FOLDERS:
                (folder / name).mkdir(exist_ok=True)
            self.state = State(folder / FILE)
            undo.callback(self.state.close)
            self._next = self._recover()
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
        if kept is not None and (kept := json.loads(kept)) != identity:
            raise BadInput(_difference(self.folder, kept, identity))
        durable.write_text(self.folder / JOB, job_toml)
        if kept is None:
            self.state.put(identity=json.dumps(identity))

    def want(self, wanted: UidSet) -> UidSet:
        """Add input UIDs to those of earlier runs; the whole set."""
        before = self.state.wanted()
        together = wanted if before is None else before | wanted
        if before is None or len(together) > len(before):
            self.state.put(wanted=uids.dump(together), total=str(len(together)))
        return together

    def reopen(self) -> None:
        """Failed and missing UIDs are to be asked for again."""
        self.state.forget_unanswered()
        self._drop(self.state.parts("unanswered"))
        (self.folder / UNANSWERED).unlink(missing_ok=True)

    def commit(
        self, links: pa.Table | None, rows: pa.Table | None, settled: Sequence[Settled]
    ) -> None:
        """Make rows and the outcomes of their UIDs permanent, together.

        Args:
            links: rows of `links`, or None.
            rows: rows of `uids` for the linked and empty UIDs among `settled`, or None.
            settled: all UIDs that have an outcome now.
        """
        tables = {"links": links, "uids": rows}
        parts = [
            self._write(kind, kind, table)
            for kind, table in tables.items()
            if table is not None and table.num_rows
        ]
        self.state.commit(parts, settled)

    def merge(self) -> None:
        """Join small parts to parts of about `MERGED_BYTES`."""
        for kind in _FOLDERS:
            for group in _groups(self.state.parts(kind)):
                self._replace(group)

    def write_unanswered(self) -> None:
        """The rows of failed and missing UIDs, and their list, in place of older ones."""
        self._drop(self.state.parts("unanswered"))
        unanswered = self.state.unanswered()
        listed = self.folder / UNANSWERED
        if not unanswered:
            listed.unlink(missing_ok=True)
            return
        table = pa.concat_tables([_unanswered_rows(self._dbfrom, s) for s in unanswered])
        table = table.sort_by("from_uid")
        durable.write_text(listed, "".join(f"{uid}\n" for uid in table["from_uid"].to_pylist()))
        self.state.commit([self._write("unanswered", "uids", table)], [])

    def _write(self, kind: str, folder: str, table: pa.Table) -> Part:
        def fill(stream: IO[bytes]) -> None:
            self._sink.write(table, stream)

        name = self._new_name(folder)
        written = durable.write(self.folder / name, fill)
        return Part(name, kind, table.num_rows, written.bytes, written.sha256)

    def _replace(self, group: Sequence[Part]) -> None:
        def fill(stream: IO[bytes]) -> None:
            self._sink.merge(self._opened(group), stream)

        kind = group[0].kind
        name = self._new_name(kind)
        written = durable.write(self.folder / name, fill)
        rows = sum(part.rows for part in group)
        self.state.replace(group, [Part(name, kind, rows, written.bytes, written.sha256)])
        self._delete(group)

    def _opened(self, parts: Iterable[Part]) -> Iterator[IO[bytes]]:
        """One part open at a time: a night makes thousands, and systems permit fewer files."""
        for part in parts:
            with (self.folder / part.name).open("rb") as stream:
                yield stream

    def _drop(self, parts: Sequence[Part]) -> None:
        if parts:
            self.state.replace(parts, [])
            self._delete(parts)

    def _delete(self, parts: Iterable[Part]) -> None:
        for part in parts:
            (self.folder / part.name).unlink(missing_ok=True)

    def _new_name(self, folder: str) -> str:
        name = f"{folder}/part-{self._next:05}{self._sink.suffix}"
        self._next += 1
        return name

    def _recover(self) -> int:
        """Delete what no record names, miss nothing that one does; the next part's number."""
        recorded = {part.name: part for part in self.state.parts()}
        for part in recorded.values():
            path = self.folder / part.name
            if not path.is_file() or path.stat().st_size != part.bytes:
                found = "is missing" if not path.is_file() else "has another size"
                raise FolderError(
                    f"{path} {found} than when it was committed; nothing was changed. "
                    "Restore it from a copy, or harvest into another folder."
                )
        for folder in _FOLDERS:
            for path in (self.folder / folder).iterdir():
                if f"{folder}/{path.name}" not in recorded and _PART.fullmatch(path.name):
                    path.unlink()
        numbers = [int(name.split("part-")[1].split(".")[0]) for name in recorded]
        return max(numbers, default=-1) + 1


def _locked(folder: Path) -> FileLock:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strange = sorted(path.name for path in folder.iterdir() if path.name not in _OURS)
        if strange and not (folder / FILE).exists():
            raise BadInput(
                f"{folder} is not empty and holds no harvest (there is {strange[0]}); "
                "choose another folder."
            )
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=1)
    except Timeout:
        raise FolderError(f"{folder} is in use by another harvest{_owner(folder)}.") from None
    except OSError as error:
        raise FolderError(f"{folder} cannot be written: {error.strerror}.") from error
    return lock


def _see_no_orphans(folder: Path) -> None:
    """Parts without a state are not ours to delete, and cannot be built on."""
    state = folder / FILE
    if state.exists() and (state.stat().st_size or (folder / f"{FILE}-wal").exists()):
        return
    for name in _FOLDERS:
        for path in sorted((folder / name).glob("*")):
            raise FolderError(
                f"{path} is there, but no {FILE} that says what it holds; nothing was changed. "
                "Restore the state from a copy, or harvest into another folder."
            )


def _owner(folder: Path) -> str:
    try:
        state = State(folder / FILE, read_only=True)
        pid = state.progress().get("pid")
        state.close()
    except FolderError:
        return ""
    return f", process {pid}" if pid else ""


def is_locked(folder: Path) -> bool:
    """Whether a process is at work on the folder now."""
    if not os.access(folder / LOCK, os.F_OK):
        return False
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return True
    lock.release()
    return False


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


def _unanswered_rows(dbfrom: str, settled: Settled) -> pa.Table:
    asked = uids.as_array(settled.uids)
    count = len(asked)
    columns = [
        pa.array([dbfrom] * count, pa.string()).dictionary_encode(),
        pa.array(asked),
        pa.array([settled.outcome] * count, pa.string()).dictionary_encode(),
        pa.array(np.zeros(count, np.int64)),
        pa.array([settled.reason] * count, pa.string()),
    ]
    return pa.Table.from_arrays(columns, schema=UIDS)


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
