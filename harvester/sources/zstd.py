"""Decompress zstd with any window size.

pyarrow refuses windows above 128 MB, which `zstd --long` makes. The stream reader of zstandard
takes a frame that is cut short for a complete one.
"""

from __future__ import annotations

import io
from typing import IO, Any

import zstandard

from harvester.sources.members import Decompressed

_WINDOW = 1 << 31
"""Largest window accepted, in bytes: that of `zstd --long=31`."""

_CHUNK = 1 << 14
"""Compressed bytes decoded at a time. Bounds the memory for input that expands extremely."""


def open_zstd(raw: IO[bytes]) -> Decompressed:
    """Return the decompressed stream of zstd frames, one after the other."""
    return Decompressed(_Frames(raw))


class _Frames(io.RawIOBase):
    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._compressed = b""
        self._plain = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer and return the number of bytes, 0 at the end.

        Raises:
            EOFError: The last frame is cut short, or the bytes are damaged.
        """
        while not self._plain:
            self._compressed = self._compressed or self._raw.read(_CHUNK)
            if self._compressed:
                self._decompress()
            elif self._frame is not None:
                raise EOFError("the last zstd frame is cut short")
            else:
                return 0
        size = min(len(buffer), len(self._plain))
        buffer[:size], self._plain = self._plain[:size], self._plain[size:]
        return size

    def _decompress(self) -> None:
        if self._frame is None:
            self._frame = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
        try:
            self._plain = memoryview(self._frame.decompress(self._compressed))
        except zstandard.ZstdError as error:
            raise EOFError(str(error)) from error
        self._compressed = b""
        if self._frame.eof:
            self._compressed, self._frame = self._frame.unused_data, None
