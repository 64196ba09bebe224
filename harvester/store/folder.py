"""A harvest's folder: whose it is, what belongs in it, and the lock on it."""

from __future__ import annotations

import errno
import itertools
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from harvester.errors import BadInput, FolderError
from harvester.store import durable
from harvester.store.state import FILE, StateReader

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = ".lock"
JOB = "job.toml"
UNANSWERED = "unanswered.txt"

LINKS, UIDS, SWEEPS, RAW, RECORDS = "links", "uids", "sweeps", "raw", "records"
"""Folders of parts; `sweeps` holds links read again, until they are united with the first."""

_OURS = {LOCK, JOB, FILE, UNANSWERED, f".{JOB}.tmp", f".{UNANSWERED}.tmp"}
_OURS |= {LINKS, UIDS, SWEEPS, RAW, f"{FILE}-wal", f"{FILE}-shm", f"{FILE}-journal"}
_HOP = re.compile(r"hop-\d+")


def hop_folder(folder: Path, number: int) -> Path:
    """Of the harvest of one hop of a chain, from 1."""
    return folder / f"hop-{number}"


def hop_folders(folder: Path) -> list[Path]:
    """Of the hops of a chain that have begun, in their order; none, where there is no chain."""
    found = itertools.takewhile(Path.is_dir, (hop_folder(folder, n) for n in itertools.count(1)))
    return [path for path in found if (path / FILE).is_file()]


def is_chain(folder: Path) -> bool:
    """Return whether a folder holds a chain of harvests."""
    return not (folder / FILE).is_file() and bool(hop_folders(folder))


def see_harvest(folder: Path) -> None:
    """Check that a folder holds a single harvest.

    Raises:
        BadInput: it holds none, or a chain of them.
    """
    if not (folder / FILE).is_file():
        hops = hop_folders(folder)
        hint = f" It is a chain: name a hop, like {hops[-1]}." if hops else ""
        raise BadInput(f"{folder} holds no harvest: it has no {FILE}.{hint}")


def see_fit(folder: Path) -> None:
    """See that a harvest can be made in a folder, or is in it; nothing is changed.

    Raises:
        BadInput: it is a file, or holds something else.
    """
    for path in (folder, *folder.parents):
        if path.is_file():
            raise BadInput(f"{path} is a file, not a folder; choose another folder (--out).")
    if not folder.is_dir() or (folder / FILE).exists():
        return
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise FolderError(f"{folder} cannot be read: {error.strerror}.") from error
    strange = [name for name in names if name not in _OURS and not _HOP.fullmatch(name)]
    if strange:
        raise BadInput(
            f"{folder} is not empty and holds no harvest (there is {strange[0]}); "
            "choose another folder."
        )


def locked(folder: Path) -> FileLock:
    """The folder, made if it is not there, locked for this process.

    Raises:
        FolderError: it is in use, or cannot be written.
        BadInput: it holds something else than a harvest.
    """
    see_fit(folder)
    try:
        durable.make_folder(folder)
        lock = FileLock(folder / LOCK)
        lock.acquire(timeout=1)
    except Timeout:
        raise FolderError(f"{folder} is in use by another harvest{_owner(folder)}.") from None
    except OSError as error:
        raise FolderError(f"{folder} cannot be written: {error.strerror}.") from error
    return lock


def is_locked(folder: Path) -> bool:
    """Whether a process is at work on the folder now."""
    if not os.access(folder / LOCK, os.F_OK):
        return False
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # a folder that cannot be written is nobody's work
        return False
    lock.release()
    return False


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """While inside, what goes wrong with the disk becomes a sentence.

    Raises:
        FolderError: the disk is full, or the folder is gone or read-only.
    """
    try:
        yield
    except BrokenPipeError:  # who reads our output has left
        raise
    except OSError as error:
        if not folder.exists():
            raise FolderError(
                f"{folder} was removed or moved away while the harvest ran; what was "
                "committed went with it."
            ) from error
        full = error.errno == errno.ENOSPC
        remedy = "make room" if full else "see that it can be written, or restore it from a copy"
        where = folder / str(error.filename or "")
        raise FolderError(
            f"{where} could not be written ({error.strerror}): {remedy}, then resume; "
            "what was committed is kept."
        ) from error


def see_no_orphans(folder: Path) -> None:
    """Parts without a state are not ours to delete, and cannot be built on.

    Raises:
        FolderError: there are some.
    """
    state = folder / FILE
    if state.exists() and (state.stat().st_size or (folder / f"{FILE}-wal").exists()):
        return
    for name in (LINKS, UIDS, SWEEPS):
        for path in sorted((folder / name).glob("*")):
            raise FolderError(
                f"{path} is there, but no {FILE} that says what it holds; nothing was changed. "
                "Restore the state from a copy, or harvest into another folder."
            )


def _owner(folder: Path) -> str:
    try:
        with StateReader(folder / FILE) as state:
            pid = state.progress().get("pid")
    except FolderError:
        return ""
    return f", process {pid}" if pid else ""
