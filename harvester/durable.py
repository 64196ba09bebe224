"""Files that are whole or not there: the only place that syncs and renames."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

Fill: TypeAlias = "Callable[[IO[bytes]], None]"
"""Writes the content of a file to the binary stream it is given."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a file is known by: its size and checksum."""

    bytes: int
    sha256: str


class _Hashing:
    """A binary stream that counts and hashes what passes through to a file."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._bytes = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self._bytes += memoryview(data).nbytes
        return self._stream.write(data)

    def tell(self) -> int:
        return self._bytes

    def flush(self) -> None:
        self._stream.flush()

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """Those who write may close; the file is closed after it was synced."""
        self.closed = True

    def written(self) -> Written:
        return Written(self._bytes, self._hash.hexdigest())


def write(path: Path, fill: Fill) -> Written:
    """Write a file aside, sync it, rename it into place, and sync its folder.

    After a crash at any instruction, `path` holds its old content or the new one, whole.

    Args:
        path: the final name; what stands there is replaced.
        fill: writes the content.

    Raises:
        OSError: the disk is full, or the folder may not be written.
    """
    aside = path.with_name(f".{path.name}.tmp")
    try:
        with aside.open("wb") as stream:
            hashing = _Hashing(stream)
            fill(cast("IO[bytes]", hashing))
            stream.flush()
            os.fsync(stream.fileno())
        aside.replace(path)
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return hashing.written()


def write_text(path: Path, text: str) -> Written:
    """`write` for a small text, in UTF-8."""

    def fill(stream: IO[bytes]) -> None:
        stream.write(text.encode())

    return write(path, fill)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable. Windows cannot sync a folder, and needs not."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def checksum(path: Path) -> Written:
    """Size and checksum of a file as it stands on disk."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256")
        return Written(stream.tell(), digest.hexdigest())
