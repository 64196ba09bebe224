"""A harvest's folder: its file names, its content, and its lock."""

from __future__ import annotations

import itertools
import os
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from harvester.errors import BadInput, FolderError, FolderInUse, not_written
from harvester.model.place import shown, url_of
from harvester.store import durable
from harvester.store.no_locks import has_no_locks, owner_in, quiet_fallback, without_locks
from harvester.store.opening import holds, opening
from harvester.store.state_reader import FILE, StateReader

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = ".lock"
JOB = "job.toml"
MANIFEST = "manifest.json"
UNANSWERED = "unanswered.txt"
REJECTED = "rejected.tsv"
REPORT, REPORT_JSON = "report.html", "report.json"

LINKS, UIDS, SWEEPS, RAW, RECORDS = "links", "uids", "sweeps", "raw", "records"
"""Folders of parts; `sweeps` holds the links of a later pass until it is merged."""

LEASES = "leases"
"""Folder of the leases of a run with several workers, each a harvest of its own."""

_OURS = {LOCK, JOB, FILE, UNANSWERED, f".{JOB}.tmp", f".{UNANSWERED}.tmp"}
_OURS |= {REJECTED, f".{REJECTED}.tmp", MANIFEST, f".{MANIFEST}.tmp"}
_OURS |= {REPORT, f".{REPORT}.tmp", REPORT_JSON, f".{REPORT_JSON}.tmp"}
_OURS |= {
    ".published",
    LEASES,
    LINKS,
    UIDS,
    SWEEPS,
    RAW,
    f"{FILE}-wal",
    f"{FILE}-shm",
    f"{FILE}-journal",
}
_HOP = re.compile(r"hop-\d+")


def hop_folder(folder: Path, number: int) -> Path:
    """Return the folder of one hop of a chain; hops are numbered from 1."""
    return folder / f"hop-{number}"


def hop_folders(folder: Path) -> list[Path]:
    """Return the folders of the hops of a chain that have begun, in their order."""
    found = itertools.takewhile(Path.is_dir, (hop_folder(folder, n) for n in itertools.count(1)))
    with opening(folder):
        return [path for path in found if (path / FILE).is_file()]


def is_chain(folder: Path) -> bool:
    """Return whether a folder holds a chain of harvests."""
    return not holds(folder, FILE) and bool(hop_folders(folder))


def harvest_folders(folder: Path) -> list[Path]:
    """Return the folders of the harvests in a folder: of a chain its hops, else the folder itself.

    Raises:
        FolderError: a hop before the last one, or its state, is missing.
    """
    if holds(folder, FILE):
        return [folder]
    found = [path for path in folder.glob("hop-*") if _HOP.fullmatch(path.name) and path.is_dir()]
    if not found:
        return [folder]
    last = max(int(path.name.removeprefix("hop-")) for path in found)
    hops = [hop_folder(folder, number) for number in range(1, last + 1)]
    for hop in hops:
        if not (hop / FILE).is_file():
            raise FolderError(
                f"{hop / FILE} is missing. Restore {hop} from a backup, or run the job again."
            )
    return hops


def chain_of(folder: Path) -> Path | None:
    """Return the folder of the chain that the folder of a harvest is a hop of, if it is one."""
    whole = folder.absolute()
    is_hop = _HOP.fullmatch(whole.name) and is_chain(whole.parent)
    return whole.parent if is_hop else None


def remove_manifest(folder: Path) -> None:
    """Remove the manifest of a harvest, and of the chain it is a hop of, before it is changed.

    The removal survives a power cut: a manifest never stands beside files that it does not
    describe.
    """
    durable.remove(one / MANIFEST for one in (folder, chain_of(folder)) if one is not None)


def harvest_around(path: Path) -> Path | None:
    """Return the folder of the harvest or chain that a path is a file of, if any.

    Files with other names may be in such a folder.

    Args:
        path: absolute, without symbolic links among its parents.
    """
    below = path
    for folder in path.parents:
        if _is_ours(below.name) and ((folder / FILE).is_file() or is_chain(folder)):
            return folder
        below = folder
    return None


def _is_ours(name: str) -> bool:
    return name in _OURS or _HOP.fullmatch(name) is not None


def check_harvest(folder: Path) -> None:
    """Check that a folder holds a single harvest.

    Raises:
        BadInput: it holds none, or a chain of them.
    """
    if not holds(folder, FILE):
        raise BadInput(f"{shown(folder)} holds no harvest: {_why_none(folder)}")


def _why_none(folder: Path) -> str:
    """Return why a folder holds no harvest, and what to do, as the rest of a sentence."""
    if url_of(folder) and not hop_folders(folder):
        return "the store has no commit of one there."
    if not folder.exists():
        return "there is no such folder."
    if not folder.is_dir():
        return "it is a file."
    found = f"it has no {FILE}."
    if hops := hop_folders(folder):
        return f"{found} It is a chain: name a hop, like {hops[-1]}."
    if holds(folder, MANIFEST):
        return (
            f"{found} Restore the file from a backup; `harvester verify {folder}` checks the "
            "others without it."
        )
    below = min(folder.glob(f"*/{FILE}"), default=None)
    return f"{found} There is one below it: {below.parent}." if below else found


def check_usable(folder: Path) -> None:
    """Check that a folder holds a harvest or can hold one; nothing is changed.

    Raises:
        BadInput: it is a file, or holds something other than a harvest.
        FolderError: it cannot be read.
    """
    try:
        for path in (folder, *folder.parents):
            if path.is_file():
                raise BadInput(f"{path} is a file, not a folder; choose another folder (--out).")
        if not folder.is_dir() or (folder / FILE).exists():
            return
        names = sorted(path.name for path in folder.iterdir())
    except OSError as error:
        raise FolderError(f"{folder} cannot be read: {error.strerror}.") from error
    strange = [name for name in names if not _is_ours(name)]
    if strange:
        raise BadInput(
            f"{folder} is not empty and holds no harvest (it holds {strange[0]}); "
            "choose another folder."
        )


def lock_folder(folder: Path) -> FileLock:
    """Lock a folder for this process; it is created if it is missing.

    Raises:
        FolderInUse: another process runs a harvest in it.
        FolderError: it cannot be written.
        BadInput: it holds something other than a harvest.
    """
    check_usable(folder)
    try:
        durable.make_folder(folder)
        lock = FileLock(folder / LOCK)
        with quiet_fallback():
            lock.acquire(timeout=1)
    except Timeout:
        raise FolderInUse(f"{folder} is in use by another harvest{_owner(folder)}.") from None
    except OSError as error:
        if has_no_locks(error):
            raise without_locks(folder, error) from error
        raise FolderError(f"{folder} cannot be written: {error.strerror}.") from error
    return lock


def is_locked(folder: Path) -> bool:
    """Return whether a process has locked the folder."""
    if not os.access(folder / LOCK, os.F_OK):
        return False
    lock = FileLock(folder / LOCK)
    try:
        with quiet_fallback():
            lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # no process can run a harvest in a folder that cannot be written
        return False
    lock.release()
    return False


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Context in which disk errors are raised as FolderError.

    Raises:
        FolderError: the disk is full, or the folder is missing or read-only.
    """
    try:
        yield
    except BrokenPipeError:  # the reader of standard output has closed it
        raise
    except OSError as error:
        if _is_gone(folder):
            raise FolderError(
                f"{folder} was removed or moved away during the run. "
                "If it was moved, resume it in its new place."
            ) from error
        raise not_written(folder, error) from error


@contextmanager
def result_errors(target: Path) -> Iterator[None]:
    """Context in which disk errors while a new file or folder is written are raised as FolderError.

    Args:
        target: the file or folder; the error names it rather than a temporary one.

    Raises:
        FolderError: the disk is full, or the target cannot be made.
    """
    try:
        yield
    except OSError as error:
        raise FolderError(
            f"{target} could not be written ({error.strerror}). Nothing was kept there; make room "
            "or choose another place."
        ) from error


def _is_gone(folder: Path) -> bool:
    try:
        folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def check_no_orphans(folder: Path) -> None:
    """Check that no parts exist without a state: they may be of value, and cannot be resumed.

    Raises:
        FolderError: there are some.
    """
    kept = (folder / FILE, folder / f"{FILE}-wal")  # readers leave an empty file
    if kept[0].exists() and any(one.exists() and one.stat().st_size for one in kept):
        return
    for name in (LINKS, UIDS, SWEEPS):
        for path in sorted((folder / name).glob("*")):
            raise FolderError(
                f"{path} exists but {FILE} is missing. Nothing was changed. "
                f"Restore {FILE} from a backup, or harvest into another folder."
            )


def _owner(folder: Path) -> str:
    if found := owner_in(folder / LOCK):
        process, host = found
        return (
            f", process {process} on {host}. Its file system has no file locks, so a file stands "
            f"for one: if that process or host is gone, delete {folder / LOCK} and run again"
        )
    try:
        with StateReader(folder / FILE) as state:
            pid = state.progress().get("pid")
    except FolderError:
        return ""
    return f", process {pid}" if pid else ""
