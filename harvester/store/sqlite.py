"""SQLite files for the state of a harvest: open, write in transactions, and seal rows.

Disk errors are raised as OSError, as for any other file.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import sys
import zlib
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHARED_MEMORY_BYTES = 1 << 17
"""Bytes that SQLite's -shm and -wal files need beside the state."""


_WRITES = (
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
)
"""Errors of writes: nothing that was read is damaged."""

_NEEDS_WRITING = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
"""Errors of a reader that would have to write: to recover from a crash, or to share memory."""


def connect(path: Path, *, read_only: bool = False) -> tuple[sqlite3.Connection, int]:
    """Open a database; create it if it is missing and may be written.

    Args:
        path: the file.
        read_only: change nothing, apart from undoing what a crash left. Where the folder cannot
            be written either, a copy in memory is opened.

    Returns:
        The connection, and the version that the file says it has (0: empty).

    Raises:
        sqlite3.DatabaseError: it cannot be opened.
    """
    if not read_only:
        return _connect(path, "rwc")
    # A reader that may not write leaves the -wal and -shm files behind that it has to make.
    for mode in ("ro", "rw") if _has_log(path) else ("rw", "ro"):
        try:
            return _connect(path, mode)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _NEEDS_WRITING or not path.is_file():
                raise
    return _connect_copy(path)


def _has_log(path: Path) -> bool:
    """Return whether a database has a log, left by a running or killed process."""
    try:
        return Path(f"{path}-wal").stat().st_size > 0
    except OSError:
        return False


def _connect(path: Path, mode: str) -> tuple[sqlite3.Connection, int]:
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,  # the committer's thread writes, one at a time
        timeout=30,
    )
    try:
        return database, _version(database)
    except BaseException:
        database.close()
        raise


def _connect_copy(path: Path) -> tuple[sqlite3.Connection, int]:
    """Open a copy of a database in memory, with its log applied."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    with TemporaryDirectory() as folder:
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(f"{path}{suffix}", f"{folder}/{path.name}{suffix}")
        database, version = _connect(Path(folder) / path.name, "rw")
        with closing(database):
            database.backup(copy)
    return copy, version


def _version(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def is_full(error: Exception, path: Path) -> bool:
    """Return whether an error means that the disk is full; SQLite has several codes for it."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF  # without its details
    if code == sqlite3.SQLITE_IOERR and path.parent.is_dir():
        return shutil.disk_usage(path.parent).free < _SHARED_MEMORY_BYTES
    return code == sqlite3.SQLITE_FULL


def is_failed_write(error: Exception, path: Path) -> bool:
    """Return whether an error means that the disk, or a limit, does not permit a write."""
    return is_full(error, path) or getattr(error, "sqlite_errorcode", 0) in _WRITES


def as_os_error(error: Exception, path: Path) -> OSError:
    """Return the OSError of a failed write; SQLite does not say which limit was met."""
    number = errno.EFBIG if _is_file_size_limited() else errno.EIO
    if is_full(error, path):
        number = errno.ENOSPC
    return OSError(number, f"SQLite says: {error}", str(path))


def _is_file_size_limited() -> bool:
    if sys.platform == "win32":
        return False
    import resource  # noqa: PLC0415 - not on Windows

    return resource.getrlimit(resource.RLIMIT_FSIZE)[0] != resource.RLIM_INFINITY


@contextmanager
def transaction(database: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Context manager. Everything inside is written, or nothing.

    Raises:
        OSError: the disk is full, or fails.
    """
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except sqlite3.OperationalError as error:
        _undo(database)
        raise as_os_error(error, path) from error
    except BaseException:
        _undo(database)
        raise


def _undo(database: sqlite3.Connection) -> None:
    if database.in_transaction:  # SQLite has rolled back by itself where the disk is full
        database.execute("ROLLBACK")


def seal(*values: str | bytes | int | None) -> int:
    """Return a checksum of a row's values; SQLite has none of its own."""
    sum_so_far = 0
    for value in values:
        data = value if isinstance(value, bytes) else repr(value).encode()
        sum_so_far = zlib.crc32(data, sum_so_far)
    return sum_so_far
