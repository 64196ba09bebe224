"""How the program keeps memory. A library must not decide this for the process it is used in."""

from __future__ import annotations

import ctypes
import gc
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT = 128 << 20  # bytes of free memory that are not given back
_LARGE = 32 << 20  # bytes; smaller blocks come from memory that was used before


def collect_seldom() -> None:
    """Look for garbage seldom: what is imported is none, and a seventh of the start went by so."""
    gc.set_threshold(50_000)


def keep_memory() -> None:
    """Use memory again rather than give it back, and look for garbage in what is new alone.

    Arrays of an answer have some 100 kB each. glibc gives blocks of that size back to the system
    and asks for them anew, and every page is cleared at its first touch: a fifth of all CPU time.
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
