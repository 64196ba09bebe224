"""A SQLite file as the state of a harvest uses it: opened, written in transactions, and sealed.

What goes wrong with the disk is an OSError, as for any other file.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SHARED_MEMORY_BYTES = 1 << 17
"""SQLite's -shm and -wal need some room of their own."""


def connected(path: Path, mode: str) -> tuple[sqlite3.Connection, int]:
    """The database and its version. Whoever only looks may yet have to undo what a crash left."""
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,  # the committer's thread writes, one at a time
        timeout=30,
    )
    try:
        return database, database.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.OperationalError as error:
        database.close()
        if mode == "ro" and error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY:
            return connected(path, "rw")
        raise


def is_full(error: Exception, path: Path) -> bool:
    """Whether it was for want of room, for which SQLite has more than one word."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF  # without its details
    if code == sqlite3.SQLITE_IOERR and path.parent.is_dir():
        return shutil.disk_usage(path.parent).free < _SHARED_MEMORY_BYTES
    return code == sqlite3.SQLITE_FULL


def as_os_error(error: Exception, path: Path) -> OSError:
    """What SQLite could not write, as the system would say it."""
    number = errno.ENOSPC if is_full(error, path) else errno.EIO
    return OSError(number, f"SQLite says: {error}", str(path))


@contextmanager
def transaction(database: sqlite3.Connection, path: Path) -> Iterator[None]:
    """All that is written inside, or nothing of it.

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
    """A checksum of a row's values, since SQLite has none of its own."""
    sum_so_far = 0
    for value in values:
        data = value if isinstance(value, bytes) else repr(value).encode()
        sum_so_far = zlib.crc32(data, sum_so_far)
    return sum_so_far
