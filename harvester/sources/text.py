"""UIDs in plain text: one per line, or separated by commas or blanks; `#` starts a comment.

Blocks of digits and separators alone are parsed in bulk by Arrow. Any other block is parsed word
by word, so that an error can name its line.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from harvester.errors import BadInput
from harvester.sources.compressed import DAMAGE, display_name, open_input
from harvester.sources.notation import UidParser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.model.uids import UidArray

BLOCK = 4 << 20
"""Bytes per read."""

_SEPARATORS = b", \t\r\v\f"
_TO_NEWLINES = bytes.maketrans(_SEPARATORS, b"\n" * len(_SEPARATORS))
_CLEAN = b"0123456789\n" + _SEPARATORS
_WORDS = re.compile(rb"[^\s,]+")

_SHORT = 1 << 15
"""Bytes up to which a block is parsed word by word: quicker than starting Arrow's threads."""


def read_lines(name: str, dbfrom: str) -> Iterator[UidArray]:
    """Yield the UIDs of a text file in blocks, in file order, with duplicates.

    Args:
        name: path, or `-` for standard input; gzip, bzip2, xz and zstd are decompressed.
        dbfrom: database of the UIDs; decides which prefixes (as in PMID:1) are accepted.

    Raises:
        BadInput: A word is not a UID (names file, line and text), or the file is not text.
    """
    parse = UidParser(dbfrom)
    for line, block in text_blocks(name):
        yield _parse(block, name, line, parse)


def text_blocks(name: str) -> Iterator[tuple[int, bytes]]:
    """Yield a text in blocks that cut no word and no comment; lines end in a line feed.

    Args:
        name: path, or `-` for standard input; gzip, bzip2, xz and zstd are decompressed.

    Yields:
        The number of the block's first line, from 1, and its bytes.

    Raises:
        BadInput: The file cannot be read, is damaged, or is not text.
    """
    line = 1
    with open_input(name) as stream:
        name = display_name(name)
        for block in _blocks(stream, name):
            if b"\r" in block:  # line ends of Windows and of old Macs
                block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # noqa: PLW2901
            if b"\0" in block:
                raise BadInput(f"{name} is not a text file: a UID list has one UID per line.")
            yield line, block
            line += block.count(b"\n")


def words(block: bytes, line: int) -> Iterator[tuple[int, str]]:
    """Yield the words of a block, each with its line number.

    Args:
        block: whole lines.
        line: number of the first line.
    """
    for number, text in enumerate(block.split(b"\n"), line):
        for word in _WORDS.findall(text.partition(b"#")[0]):
            yield number, word.decode("utf-8", "replace")


def _blocks(stream: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the bytes of a stream, cut where no word and no comment is cut."""
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
        if not cut and b"#" not in data:  # one endless line: cut at any separator
            cut = max(data.rfind(separator) for separator in (b",", b" ", b"\t")) + 1
        carry = data[cut:]
        if cut:
            yield data[:cut]


def _parse(block: bytes, name: str, line: int, parse: UidParser) -> UidArray:
    if len(block) > _SHORT and not block.translate(None, _CLEAN):
        try:
            return _parse_in_bulk(block)
        except pa.ArrowInvalid:
            pass  # a number is out of range: parse by word to name it
    return _parse_by_word(block, name, line, parse)


def _parse_in_bulk(block: bytes) -> UidArray:
    table = pacsv.read_csv(
        pa.py_buffer(block.translate(_TO_NEWLINES) + b"\n0\n"),  # Arrow rejects an empty table
        read_options=pacsv.ReadOptions(column_names=["uid"], use_threads=False),
        convert_options=pacsv.ConvertOptions(column_types={"uid": pa.int64()}),
    )
    uids: UidArray = table["uid"].to_numpy()[:-1]
    if len(uids) and uids.min() < 1:
        raise pa.ArrowInvalid("0 is not a UID")
    return uids


def _parse_by_word(block: bytes, name: str, line: int, parse: UidParser) -> UidArray:
    uids: list[int] = []
    for number, word in words(block, line):
        try:
            uids.append(parse(word))
        except ValueError as error:
            raise BadInput(f"{display_name(name)}, line {number}: {error}") from None
    return np.array(uids, dtype=np.int64)
