"""Files that Arrow reads directly, not through Python."""

from __future__ import annotations

from typing import IO

import pyarrow as pa


def arrow_file(part: IO[bytes]) -> IO[bytes] | pa.NativeFile:
    """Return a file on disk as an Arrow file; any other unchanged.

    Arrow's threads read ahead, and hold their data slightly longer than a read takes. If Python
    ends at that moment, a thread that holds Python memory is terminated, and the process aborts.
    """
    name = getattr(part, "name", None)
    return pa.OSFile(name) if isinstance(name, str) else part
