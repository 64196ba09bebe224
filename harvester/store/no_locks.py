"""File systems without file locks, such as Lustre without `-o flock`, recognised as such."""

from __future__ import annotations

import errno
import sqlite3
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harvester.errors import FolderError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_ENOTSUPP = 524
"""What Linux's NFS client answers; it has no name in `errno`."""

_ERRNOS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, _ENOTSUPP)

_SQLITE_CODES = (
    sqlite3.SQLITE_IOERR_LOCK,
    sqlite3.SQLITE_IOERR_RDLOCK,
    sqlite3.SQLITE_IOERR_UNLOCK,
    sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
    sqlite3.SQLITE_IOERR_SHMLOCK,
    sqlite3.SQLITE_PROTOCOL,
)


def has_no_locks(error: Exception) -> bool:
    """Return whether an error means that the file system has no locks."""
    if isinstance(error, OSError):
        return error.errno in _ERRNOS
    return getattr(error, "sqlite_errorcode", None) in _SQLITE_CODES


def without_locks(folder: Path, error: Exception) -> FolderError:
    """Return the error of a folder on such a file system."""
    why = printable(str(getattr(error, "strerror", None) or error))
    return FolderError(
        f"{folder} is on a file system without file locks ({why}); nothing is damaged. "
        "Use a folder on another disk, or mount this one with locks (Lustre: -o flock)."
    )


@contextmanager
def quiet_fallback() -> Iterator[None]:
    """Context in which `filelock` does not warn that it uses a plain file as lock."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        yield


def owner_in(lock: Path) -> tuple[str, str] | None:
    """Return process and host in a plain file used as lock; None if it is a true lock."""
    try:
        lines = lock.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return None
    return (printable(lines[0]), printable(lines[1])) if len(lines) > 1 else None
