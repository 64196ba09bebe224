"""The window shared by all processes on this machine that use one server and API key.

NCBI counts the requests of a key, whichever process sends them. The log of all of them is a file in
the user's state folder, mapped into the memory of each process.
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
import socket
import sys
import time
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from platformdirs import user_state_path

from harvester.client.pacing.sliding_window import SlidingWindow, buffer_size

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK_SECONDS = 1.0
"""Seconds to wait for the lock at start; processes hold it for microseconds."""

PLACES = 1024
"""Size of the log. Rates above it have no shared window."""


class SharedWindow:
    """A sliding window in a file.

    Args:
        path: path of the file; created if it does not exist.
        rate: requests per second that this process wants.
        now: the time, on the monotonic clock that all processes have in common.

    Attributes:
        window: the window; call `grant` only inside `locked()`.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path, rate: float, now: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Kept open: opening it for each permit would cost more than the rest of a request.
        self._lock_file = path.with_suffix(".lock").open("ab")
        weakref.finalize(self, self._lock_file.close)
        until = time.monotonic() + _LOCK_SECONDS
        while not _try_lock(self._lock_file.fileno()):
            if time.monotonic() > until:
                raise TimeoutError(f"{path} is locked by another process")
            time.sleep(0.001)
        size = 8 * buffer_size(PLACES)
        with _unlock_after(self._lock_file.fileno()), path.open("ab") as file:
            if file.tell() != size:
                file.truncate(0)
                file.truncate(size)
            _allocate(file.fileno(), size)
        buffer = np.memmap(path, np.float64, "r+", shape=(size // 8,))
        self.window = SlidingWindow(buffer, rate, now)

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        return f"SharedWindow({self.window!r})"

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Try to lock the window; yield False if another process holds the lock."""
        if not _try_lock(self._lock_file.fileno()):
            yield False
            return
        with _unlock_after(self._lock_file.fileno()):
            yield True


def shared_window(server: str, api_key: str | None, rate: float, now: float) -> SharedWindow | None:
    """Return the window for a server and a key; None if it cannot be shared.

    The name of its file is a hash, so it shows neither. The machine is part of it, since a home
    folder may be shared by many.
    """
    if math.ceil(rate) >= PLACES:
        return None
    identity = "\0".join((server, api_key or "", _machine()))
    name = hashlib.sha256(identity.encode()).hexdigest()[:32]
    try:
        folder = user_state_path("elink-harvester")
        if not folder.is_absolute():  # there is no home
            return None
        return SharedWindow(folder / f"{name}.pace", rate, now)
    except (OSError, RuntimeError):  # platformdirs: the user has no home
        return None


def _allocate(file: int, size: int) -> None:
    """Reserve the blocks of a file: a write to a mapped hole of a full disk kills the process.

    Raises:
        OSError: the disk is full.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)


def _machine() -> str:
    """Return a text that all processes on this machine share, also in containers.

    Containers have host names of their own, but one kernel, and so one monotonic clock.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return socket.gethostname()


def _try_lock(file: int) -> bool:
    """Try to lock an open file. The system releases the lock if the process is killed."""
    try:
        if sys.platform == "win32":
            os.lseek(file, 0, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK):
            raise
        return False
    return True


@contextmanager
def _unlock_after(file: int) -> Iterator[None]:
    try:
        yield
    finally:
        if sys.platform == "win32":
            os.lseek(file, 0, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_UN)
