"""The pace that all harvests on this machine share which ask one server with the same key.

NCBI counts the requests of a key, whatever processes they come from. A file in the user's state
folder, mapped into each process, holds the log of them all.
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
from typing import TYPE_CHECKING

import numpy as np
from platformdirs import user_state_path

from harvester.client.pacing import sliding_window as pace
from harvester.client.pacing.sliding_window import Pace

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE = 1.0  # seconds for somebody who holds the pace; it is held for microseconds

PLACES = 1024
"""Of the log; whoever asks faster than so many times a second asks no server that counts."""


class CommonPace:
    """A pace in a file.

    Args:
        path: of the file; made if it is not there.
        rate: requests per second that this process wants.
        now: the time, on the monotonic clock that all processes have in common.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, path: Path, rate: float, now: float) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Kept open: to open it for each permit would cost more than all else about a request.
        self._file = path.with_suffix(".lock").open("ab")
        weakref.finalize(self, self._file.close)
        until = time.monotonic() + _PATIENCE
        while not _locked(self._file.fileno()):
            if time.monotonic() > until:
                raise TimeoutError(f"{path} is held by a process that does not let it go")
            time.sleep(0.001)
        with _unlocking(self._file.fileno()), path.open("ab") as file:
            size = 8 * pace.size(PLACES)
            if file.tell() != size:
                file.truncate(0)
                file.truncate(size)
        self.pace = Pace(np.memmap(path, np.float64, "r+", shape=(size // 8,)), rate, now)

    @contextmanager
    def held(self) -> Iterator[bool]:
        """While inside, nobody else takes a permit; false if somebody else is at it."""
        if not _locked(self._file.fileno()):
            yield False
            return
        with _unlocking(self._file.fileno()):
            yield True


def common_pace(server: str, api_key: str | None, rate: float, now: float) -> CommonPace | None:
    """The pace for a server and a key; None where there can be none to share.

    The name of its file tells neither: it is a hash, and of this machine too, since a home
    folder may be shared by many.
    """
    if math.ceil(rate) >= PLACES:
        return None
    told = "\0".join((server, api_key or "", socket.gethostname()))
    name = hashlib.sha256(told.encode()).hexdigest()[:32]
    try:
        return CommonPace(user_state_path("elink-harvester") / f"{name}.pace", rate, now)
    except OSError:
        return None


def _locked(file: int) -> bool:
    """Try to take the lock on an open file; the system lets it go where a process is killed."""
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
def _unlocking(file: int) -> Iterator[None]:
    try:
        yield
    finally:
        if sys.platform == "win32":
            os.lseek(file, 0, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_UN)
