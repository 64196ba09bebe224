"""UIDs from text: one a line, or separated by commas or blanks; `#` starts a comment.

Clean blocks, digits and separators only, are parsed in bulk; a block with anything else is
gone through word by word, so that an error can name its line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from harvester.errors import BadInput
from harvester.sources.compressed import shown
from harvester.sources.notation import Uids
from harvester.sources.words import text_blocks, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.model.uids import UidArray

_SEPARATORS = b", \t\r\v\f"
_TO_NEWLINES = bytes.maketrans(_SEPARATORS, b"\n" * len(_SEPARATORS))
_SHORT = 1 << 15
"""Bytes that are gone through word by word before Arrow's threads have begun."""

_CLEAN = b"0123456789\n" + _SEPARATORS


def read_lines(name: str, dbfrom: str) -> Iterator[UidArray]:
    """The UIDs of a text file, in blocks, in the order of the file and with its duplicates.

    Args:
        name: a path, or `-` for standard input; may be gzip, bzip2, xz or zstd.
        dbfrom: the database the UIDs belong to; decides which prefixes are understood.

    Raises:
        BadInput: something is not a UID (names file, line and text), or the file is no text.
    """
    uid_of = Uids(dbfrom)
    for line, block in text_blocks(name):
        yield _parse(block, name, line, uid_of)


def _parse(block: bytes, name: str, line: int, uid_of: Uids) -> UidArray:
    if len(block) > _SHORT and not block.translate(None, _CLEAN):
        try:
            return _bulk(block)
        except pa.ArrowInvalid:
            pass  # a number too large: find and name it
    return _careful(block, name, line, uid_of)


def _bulk(block: bytes) -> UidArray:
    table = pacsv.read_csv(
        pa.py_buffer(block.translate(_TO_NEWLINES) + b"\n0\n"),  # never empty
        read_options=pacsv.ReadOptions(column_names=["uid"], use_threads=False),
        convert_options=pacsv.ConvertOptions(column_types={"uid": pa.int64()}),
    )
    uids: UidArray = table["uid"].to_numpy()[:-1]
    if len(uids) and uids.min() < 1:
        raise pa.ArrowInvalid("0 is no UID")
    return uids


def _careful(block: bytes, name: str, line: int, uid_of: Uids) -> UidArray:
    uids: list[int] = []
    for number, word in words(block, line):
        try:
            uids.append(uid_of(word))
        except ValueError as error:
            raise BadInput(f"{shown(name)}, line {number}: {error}") from None
    return np.array(uids, dtype=np.int64)
