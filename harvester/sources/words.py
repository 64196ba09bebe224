"""Text in blocks of whole lines, and the words in them: `#` starts a comment."""

from __future__ import annotations

import lzma
import re
import zlib
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from harvester.errors import BadInput
from harvester.sources.compressed import open_input, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK = 4 << 20
"""Bytes read at a time."""

DAMAGE = (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException)
"""What is raised where compressed bytes are damaged."""

_WORDS = re.compile(rb"[^\s,]+")


def text_blocks(name: str) -> Iterator[tuple[int, bytes]]:
    """A text in blocks in which no word and no comment is cut, lines ending in a line feed.

    Args:
        name: a path, or `-` for standard input; may be gzip, bzip2, xz or zstd.

    Returns:
        The number of each block's first line, from 1, and its bytes.

    Raises:
        BadInput: it cannot be read, is damaged, or is no text.
    """
    line = 1
    with open_input(name) as stream:
        name = shown(name)
        for block in _blocks(stream, name):
            if b"\r" in block:  # line ends of Windows and of old Macs
                block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # noqa: PLW2901
            if b"\0" in block:
                raise BadInput(f"{name} is not a text file: a UID list has one UID a line.")
            yield line, block
            line += block.count(b"\n")


def words(block: bytes, line: int) -> Iterator[tuple[int, str]]:
    """The words of a block, each with the number of its line.

    Args:
        block: whole lines.
        line: the number of the first.
    """
    for number, text in enumerate(block.split(b"\n"), line):
        for word in _WORDS.findall(text.partition(b"#")[0]):
            yield number, word.decode("utf-8", "replace")


def _blocks(stream: IO[bytes], name: str) -> Iterator[bytes]:
    """The bytes of a stream, cut where no word and no comment is cut."""
    carry = b""
    first = True
    while True:
        try:
            data = stream.read(BLOCK)
        except DAMAGE as error:
            raise BadInput(
                f"{name} is damaged or cut short: it cannot be decompressed to its end."
            ) from error
        if first:
            data, first = data.removeprefix(b"\xef\xbb\xbf"), False
        if not data:
            if carry:
                yield carry
            return
        data = carry + data
        cut = data.rfind(b"\n") + 1
        if not cut and b"#" not in data:  # one endless line: any separator will do
            cut = max(data.rfind(separator) for separator in (b",", b" ", b"\t")) + 1
        carry = data[cut:]
        if cut:
            yield data[:cut]
