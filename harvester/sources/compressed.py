"""Open a list of UIDs, decompressing gzip, bzip2, xz and zstd."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import re
import sys
import zlib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import pyarrow as pa

from harvester.errors import BadInput, printable
from harvester.job.groups import STDIN
from harvester.sources.members import Decompressed, Members

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException)
"""Errors that reading a damaged compressed file raises."""

_ZSTD = re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18")
"""First bytes of a zstd frame, or of a skippable frame such as pzstd writes (RFC 8878)."""


def damaged(name: str) -> BadInput:
    """Return the error for a file that cannot be decompressed."""
    return BadInput(f"{name} is damaged or cut short: it cannot be decompressed to its end.")


def display_name(name: str) -> str:
    """Return the name of a list for an error message."""
    return "standard input" if name == STDIN else printable(name)


@contextmanager
def open_input(name: str) -> Iterator[IO[bytes]]:
    """Open a file, or standard input for `-`, and decompress it.

    The first bytes decide the compression, so the suffix does not matter and a pipe needs none.

    Args:
        name: path, or `-`.

    Raises:
        BadInput: The file does not exist, cannot be read, or is damaged at its beginning.
    """
    with ExitStack() as stack:
        try:
            if name == STDIN:
                raw = _stdin()
            else:
                raw = stack.enter_context(Path(name).expanduser().open("rb"))
            magic = raw.peek(6)[:6]
        except (OSError, ValueError, RuntimeError) as error:
            # ValueError: a NUL in the name. RuntimeError: unknown home directory.
            why = getattr(error, "strerror", None) or "no such file"
            uids = Path(name).name
            hint = (
                f" --ids takes a file; to pass UIDs: echo {uids} | harvester run --ids - ..., "
                f"or from Python source={{'uids': [{uids}]}}"
                if uids.replace(",", "").isdigit()
                else ""
            )
            raise BadInput(
                f"The UID list {display_name(name)} cannot be read: {why}.{hint}"
            ) from error
        plain = _decompress(raw, magic)
        if plain is None:
            yield raw
            return
        stack.enter_context(plain)
        try:
            plain.peek(1)
        except DAMAGE as error:
            raise damaged(display_name(name)) from error
        yield plain


def _stdin() -> io.BufferedReader:
    if sys.stdin is None:  # as after `<&-` in a shell
        raise OSError(errno.EBADF, "it is closed")
    return cast("io.BufferedReader", sys.stdin.buffer)


def _decompress(raw: io.BufferedReader, magic: bytes) -> io.BufferedReader | None:
    """Return the decompressed stream, or None if the first bytes name no compression."""
    if magic.startswith(b"\x1f\x8b"):
        return cast("io.BufferedReader", gzip.open(raw))
    if magic.startswith(b"BZh"):
        return Decompressed(Members(raw, bz2.BZ2Decompressor))
    if magic.startswith(b"\xfd7zXZ\x00"):
        return Decompressed(Members(raw, lzma.LZMADecompressor))
    if _ZSTD.match(magic):
        from harvester.sources.zstd import open_zstd  # noqa: PLC0415 - most lists are not zstd

        return open_zstd(raw)
    return None
