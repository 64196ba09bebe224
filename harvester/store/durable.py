"""Write files that are whole or absent after a crash. No other module syncs or renames."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias, cast

import xxhash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Fill: TypeAlias = "Callable[[IO[bytes]], None]"
"""Writes the content of a file to the binary stream it is given."""

_BLOCK = 1 << 20
"""Bytes read at a time; hashing as many releases the interpreter lock."""

_CANNOT_SYNC = (errno.EBADF, errno.EINVAL, errno.ENOTSUP)
"""Errors of systems that cannot sync a folder."""


@dataclass(frozen=True, slots=True)
class Written:
    """Size and checksum of a file."""

    bytes: int
    checksum: str
    """XXH3 of 128 bits, in hexadecimal. It takes 20 % of the time of SHA-256."""

    sha256: str = ""
    """SHA-256 in hexadecimal; empty unless it was requested."""


class _Hashing:
    """A binary stream that writes to a file, and counts and hashes the bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._hash = xxhash.xxh3_128()
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
        """Mark the stream as closed; the file is closed only after it was synced."""
        self.closed = True

    def written(self) -> Written:
        return Written(self._bytes, self._hash.hexdigest())


def write(path: Path, fill: Fill) -> Written:
    """Write a file aside, sync it, rename it into place, and sync its folder.

    After a crash at any instruction, `path` holds its old content or the new one, whole.

    Args:
        path: the final name; an existing file is replaced.
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


def would_write(fill: Fill) -> Written:
    """Return size and checksum of the file that `write` would write."""
    with Path(os.devnull).open("wb") as stream:
        hashing = _Hashing(stream)
        fill(cast("IO[bytes]", hashing))
    return hashing.written()


def write_text(path: Path, text: str) -> Written:
    """Write a small text in UTF-8, as `write` does."""

    def fill(stream: IO[bytes]) -> None:
        stream.write(text.encode())

    return write(path, fill)


def link(source: Path, path: Path) -> Written | None:
    """Give a file a second name; where the system cannot, copy it.

    Args:
        source: the file; it is never changed later.
        path: the new name, which must be free.

    Returns:
        Size and checksum of a copy; None if both names are one file.
    """
    try:
        os.link(source.resolve(), path)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        with source.open("rb") as stream:
            return write(path, lambda copy: shutil.copyfileobj(stream, copy, 1 << 20))
    sync_folder(path.parent)
    return None


def move_folder(folder: Path, path: Path) -> None:
    """Rename a folder, all of whose files are synced, to a name that is free or an empty folder."""
    if path.is_dir():
        path.rmdir()
    folder.rename(path)
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Create a folder and its parents so that they survive a power cut; it may exist."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
    sync_folder(path.parent)  # also if it exists: a crash may have prevented its sync


def remove(paths: Iterable[Path]) -> None:
    """Delete files so that a power cut does not bring them back; missing files are ignored."""
    folders = set()
    for path in paths:
        path.unlink(missing_ok=True)
        folders.add(path.parent)
    for folder in folders:
        sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Make names in a folder durable, as far as the system can.

    Windows cannot sync a folder and does not need to. Some network file systems cannot, and a
    parent folder may not be readable.
    """
    if os.name == "nt":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(handle)


def checksum(path: Path) -> Written:
    """Return size and checksum of a file on disk."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, xxhash.xxh3_128)
        return Written(stream.tell(), digest.hexdigest())


def publish(aside: Path, final: Path) -> None:
    """Sync a finished file or folder, and rename it to its final name; an existing one is replaced.

    A folder that is replaced is moved aside first. A crash between the two renames leaves nothing
    under the final name.

    Args:
        aside: the file or folder, on the same file system.
        final: the final name.

    Raises:
        OSError: it cannot be renamed.
    """
    for path in [aside, *(aside.rglob("*") if aside.is_dir() else ())]:
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb+") as stream:
                os.fsync(stream.fileno())
    if final.is_dir() and not final.is_symlink():
        replaced = aside.with_name(f"{aside.name}.replaced")
        final.rename(replaced)
    aside.replace(final)
    sync_folder(final.parent)


def both_checksums(path: Path) -> Written:
    """Return size, checksum and SHA-256 of a file on disk, which is read once."""
    fast, sha256 = xxhash.xxh3_128(), hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            fast.update(block)
            sha256.update(block)
        return Written(stream.tell(), fast.hexdigest(), sha256.hexdigest())
