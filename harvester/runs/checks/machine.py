"""Checks of this machine: shared rate limit, file locks, disk space and open files."""

from __future__ import annotations

import errno
import math
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from filelock import FileLock, Timeout
from platformdirs import user_state_path

from harvester.client.pacing.shared_window import PLACES, shared_window
from harvester.engine.flow import LATENCY_SECONDS
from harvester.errors import printable
from harvester.runs.checks.finding import Finding, fine, unknown, wrong
from harvester.runs.drive import OTHER_FILES
from harvester.store.no_locks import has_no_locks, owner_in, quiet_fallback
from harvester.store.sqlite import connect

FREE_BYTES = 100 << 20
"""Free bytes below which a harvest will fail: parts are merged in copies."""

_TRIAL_BYTES = 1 << 20
_FULL = (errno.ENOSPC, errno.EDQUOT) if hasattr(errno, "EDQUOT") else (errno.ENOSPC,)


def check_shared_limit(server: str, key: str | None, rate: float) -> Finding:
    """Check that all harvests of this user on this machine keep one rate limit together.

    Args:
        server: its host and port.
        key: the API key, which is a part of what is shared.
        rate: requests per second.
    """
    if math.ceil(rate) >= PLACES:
        return fine("rate limit", "not shared: it is too high to matter")
    now = time.monotonic()
    shared = shared_window(server, key, rate, now)
    if shared is None:
        return wrong(
            "rate limit",
            f"not shared with other harvests: {_state_folder()} cannot be written or locked",
            "Run one harvest at a time, or set XDG_STATE_HOME to a folder that can be written.",
        )
    others = shared.window.others(now)
    now_too = f"; {others} other process uses it now" if others == 1 else ""
    now_too = f"; {others} other processes use it now" if others > 1 else now_too
    return fine("rate limit", f"shared by all harvests through {_state_folder()}{now_too}")


def _state_folder() -> str:
    try:
        return printable(str(user_state_path("elink-harvester")))
    except RuntimeError:
        return "the home folder, which does not exist,"


def nearest_folder(out: Path) -> Path:
    """Return a path, or the nearest folder above it that exists."""
    return next((path for path in (out, *out.parents) if path.exists()), out)


def check_disk(folder: Path) -> Finding:
    """Check that files can be written where the harvest will be."""
    name = printable(str(folder))
    if folder.exists() and not folder.is_dir():
        return wrong("disk", f"{name} is a file, not a folder", "Choose another folder (--out).")
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_TRIAL_BYTES))
            file.flush()
            os.fsync(file.fileno())
        free = shutil.disk_usage(folder).free
    except OSError as error:
        if error.errno in _FULL:
            return wrong("disk", f"{name} is full", "Free space, or choose another folder (--out).")
        return wrong(
            "disk",
            f"{name} cannot be written: {error.strerror}",
            "Choose another folder (--out), or change its permissions.",
        )
    said = f"{name} has {free / 1e9:,.1f} GB free"
    if free < FREE_BYTES:
        return wrong(
            "disk",
            f"{name} has {free / 1e6:,.0f} MB free",
            "Free space, or choose another folder (--out); harvester plan says how much is needed.",
        )
    return fine("disk", said)


def check_locks(folder: Path) -> Finding:
    """Check that the file system has locks, which keep two processes out of one folder."""
    name = printable(str(folder))
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".harvester-doctor-") as trial:
            why = _try_locks(Path(trial))
    except (OSError, sqlite3.Error) as error:
        if has_no_locks(error) or isinstance(error, Timeout):
            return _no_locks(name, error)
        return unknown("locks", "disk")
    return fine("locks", f"{name} has file locks") if not why else _no_locks(name, why)


def _try_locks(folder: Path) -> str:
    """Lock a file and a SQLite database in a folder; return why that is no lock, if it is none.

    Raises:
        OSError, sqlite3.Error: one cannot be locked, or written.
    """
    path = folder / "lock"
    with quiet_fallback(), FileLock(path).acquire(timeout=1.0):
        if owner_in(path) is not None:
            return "a file stands for the lock"
    database, _ = connect(folder / "state.sqlite")
    try:
        database.execute("BEGIN IMMEDIATE")
        database.execute("CREATE TABLE trial (x)")
        database.execute("COMMIT")
    finally:
        database.close()
    return ""


def _no_locks(name: str, why: object) -> Finding:
    said = printable(str(getattr(why, "strerror", None) or why))
    return wrong(
        "locks",
        f"{name} is on a file system without file locks ({said})",
        "Use a folder on another disk, or mount this one with locks (Lustre: -o flock).",
    )


def check_open_files(rate: float) -> Finding:
    """Check that each request in flight can have its connection.

    Args:
        rate: requests per second.
    """
    if sys.platform == "win32":
        return fine("open files", "not limited on Windows")
    import resource  # noqa: PLC0415 - not on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return fine("open files", "not limited")
    needed = math.ceil(rate * LATENCY_SECONDS * 1.1) + OTHER_FILES
    if hard >= needed:
        raised = f", raised to {hard:,} when needed" if soft < needed else ""
        return fine("open files", f"{soft:,} per process{raised}; {needed:,} are needed")
    return wrong(
        "open files",
        f"{hard:,} per process; {needed:,} are needed for {rate:g} requests per second",
        f"Raise the limit: ulimit -n {max(needed, 1024)} (systemd: LimitNOFILE=).",
    )
