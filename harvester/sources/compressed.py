"""Open a list of UIDs for reading, whatever it is compressed with."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import pyarrow as pa

from harvester.errors import BadInput, printable
from harvester.job.model import STDIN

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator


def shown(name: str) -> str:
    """The name of a list as a sentence has it."""
    return "standard input" if name == STDIN else printable(name)


@contextmanager
def open_input(name: str) -> Iterator[IO[bytes]]:
    """The decompressed bytes of a file, or of standard input for `-`.

    The kind of compression is told from the first bytes, so that a wrong suffix, or none as on
    a pipe, does no harm.

    Raises:
        BadInput: there is no such file, or it may not be read.
    """
    with ExitStack() as stack:
        try:
            if name == STDIN:
                raw = _stdin()
            else:
                raw = stack.enter_context(Path(name).expanduser().open("rb"))
            magic = raw.peek(6)[:6]
        except (OSError, ValueError, RuntimeError) as error:  # no file, no such name, no such home
            why = getattr(error, "strerror", None) or "there is no such file"
            raise BadInput(f"The UID list {shown(name)} cannot be read: {why}.") from error
        plain = _decompressed(raw, magic)
        yield raw if plain is None else stack.enter_context(plain)


def _stdin() -> io.BufferedReader:
    if sys.stdin is None:  # as after `<&-` in a shell
        raise OSError(errno.EBADF, "it is closed")
    return cast("io.BufferedReader", sys.stdin.buffer)


def _decompressed(raw: io.BufferedReader, magic: bytes) -> IO[bytes] | None:
    """The stream behind the compression that the first bytes name, if they name one."""
    if magic.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(raw))
    if magic.startswith(b"BZh"):
        return bz2.open(raw)
    if magic.startswith(b"\xfd7zXZ\x00"):
        return lzma.open(raw)
    if magic.startswith(b"\x28\xb5\x2f\xfd"):
        return cast("IO[bytes]", pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd"))
    return None
