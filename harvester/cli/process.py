"""Settings of the process. A library must not change them, so only the command does."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt (malloc.h)."""

_KEPT = 128 << 20
"""Bytes of free memory that are not returned to the system."""

_FILES = 4096
"""Maximum open files: a connection for each of up to 1,000 requests in flight, and a margin."""

_LARGE = 32 << 20
"""Bytes below which blocks are taken from memory that was used before."""


def open_many_files() -> None:
    """Raise the limit of open files to what the system permits: each connection is one."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if most == resource.RLIM_INFINITY else min(_FILES, most)
    if resource.getrlimit(resource.RLIMIT_NOFILE)[0] < wanted:
        with suppress(ValueError, OSError):  # a sandbox may forbid it
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def collect_rarely() -> None:
    """Run the garbage collector less often.

    Collecting during imports took 14 % of start-up and freed nothing.
    """
    gc.set_threshold(50_000)


def keep_memory() -> None:
    """Reuse freed memory, and exclude all present objects from garbage collection.

    The arrays of an answer have about 100 kB each. By default glibc returns blocks of that size to
    the system and requests them again, and the system clears every page at its first use: 20 % of
    all CPU time.
    """
    gc.freeze()
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(_MMAP_THRESHOLD, _LARGE)
    mallopt(_TRIM_THRESHOLD, _KEPT)
