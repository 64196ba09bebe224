"""UID lists in every compression, and the reader's result or error message."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable

import pytest
import zstandard

from harvester.errors import BadInput
from harvester.sources.text import read_lines

Compress = Callable[[bytes], bytes]


def _zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


COMPRESSIONS: dict[str, Compress] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstd": _zstd,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
}


def read(name: str, dbfrom: str = "pubmed") -> list[int]:
    """Return all UIDs, in file order."""
    return [uid for block in read_lines(name, dbfrom) for uid in block.tolist()]


def refusal(name: str, dbfrom: str = "pubmed") -> str:
    """Return the error message with which a list is refused."""
    with pytest.raises(BadInput) as caught:
        read(name, dbfrom)
    return str(caught.value)
