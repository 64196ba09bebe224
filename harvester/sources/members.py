"""Decompressed streams of bzip2 and xz files, which may hold several members.

The readers of Python take what they cannot read after the first member for the end of the file.
"""

from __future__ import annotations

import io
from typing import IO, TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import bz2
    import lzma
    from collections.abc import Callable

_CHUNK = 1 << 14
"""Compressed bytes read at a time."""

_Decompressor: TypeAlias = "bz2.BZ2Decompressor | lzma.LZMADecompressor"


class Decompressed(io.BufferedReader):
    """Decompressed stream."""


class Members(io.RawIOBase):
    """Members of a bzip2 or xz file, one after the other.

    Args:
        raw: compressed.
        new: makes the decompressor of a member.
    """

    def __init__(self, raw: IO[bytes], new: Callable[[], _Decompressor]) -> None:
        self._raw = raw
        self._new = new
        self._member = new()

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer and return the number of bytes, 0 at the end.

        Raises:
            EOFError: The last member is cut short.
            OSError, lzma.LZMAError: The bytes are damaged, or something else follows a member.
        """
        plain = b""
        while not plain:
            compressed = b""
            if self._member.eof:
                compressed = self._member.unused_data.lstrip(b"\0")  # xz pads with zeros
                while not compressed:
                    if not (more := self._raw.read(_CHUNK)):
                        return 0
                    compressed = more.lstrip(b"\0")
                self._member = self._new()
            elif self._member.needs_input and not (compressed := self._raw.read(_CHUNK)):
                raise EOFError("the last member is cut short")
            plain = self._member.decompress(compressed, len(buffer))
        buffer[: len(plain)] = plain
        return len(plain)
