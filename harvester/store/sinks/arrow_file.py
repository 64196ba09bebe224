"""Files that Arrow reads itself, not through Python."""

from __future__ import annotations

from typing import IO

import pyarrow as pa


def arrow_file(part: IO[bytes]) -> IO[bytes] | pa.NativeFile:
    """Return a file on disk as Arrow's own, and any other as it is.

    Arrow's threads read ahead, and hold what they read for a moment longer than a read takes. If
    Python ends in that moment, a thread with memory of Python is ended by force, and the process
    aborts.
    """
    name = getattr(part, "name", None)
    return pa.OSFile(name) if isinstance(name, str) else part
