"""The pace that all harvests on this machine share which ask one server with the same key.

NCBI counts the requests of a key, whatever processes they come from. A file in the user's state
folder, mapped into each process, holds the log of them all.
"""

from __future__ import annotations

import hashlib
import math
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from filelock import FileLock, Timeout
from platformdirs import user_state_path

from harvester import pace
from harvester.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
        self._lock = FileLock(path.with_suffix(".lock"))
        with self._lock.acquire(timeout=1):
            size = pace.size(PLACES)
            if not path.exists() or path.stat().st_size != 8 * size:
                path.write_bytes(bytes(8 * size))
            self.pace = Pace(np.memmap(path, np.float64, "r+", shape=(size,)), rate, now)

    @contextmanager
    def held(self) -> Iterator[bool]:
        """While inside, nobody else takes a permit; false if somebody else is at it."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            yield False
            return
        try:
            yield True
        finally:
            self._lock.release()


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
    except (OSError, Timeout):
        return None
