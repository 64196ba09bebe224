"""UIDs from text: one a line, or separated by commas or blanks; `#` starts a comment.

Clean blocks, digits and separators only, are parsed in bulk; a block with anything else is
gone through word by word, so that an error can name its line.
"""

from __future__ import annotations

import lzma
import re
import zlib
from typing import IO, TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from harvester.errors import BadInput, printable
from harvester.sources.compressed import open_input, shown
from harvester.uids import MAX_UID

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.uids import UidArray

BLOCK = 4 << 20
"""Bytes parsed at a time."""

_SEPARATORS = b", \t\r\v\f"
_TO_NEWLINES = bytes.maketrans(_SEPARATORS, b"\n" * len(_SEPARATORS))
_CLEAN = b"0123456789\n" + _SEPARATORS
_WORDS = re.compile(rb"[^\s,]+")
_PREFIXES = {"pubmed": rb"PMID:?", "pmc": rb"(?:PMCID:)?PMC:?"}
"""Spellings whose meaning the database makes sure. (A PMC UID is the digits of its PMC id:
https://www.ncbi.nlm.nih.gov/pmc/pmctopmid/.)"""


def read_lines(name: str, dbfrom: str) -> Iterator[UidArray]:
    """The UIDs of a text file, in blocks, in the order of the file and with its duplicates.

    Args:
        name: a path, or `-` for standard input; may be gzip, bzip2, xz or zstd.
        dbfrom: the database the UIDs belong to; decides which prefixes are understood.

    Raises:
        BadInput: something is not a UID (names file, line and text), or the file is no text.
    """
    line = 1
    with open_input(name) as stream:
        name = shown(name)
        for block in _blocks(stream, name):
            if b"\r" in block:  # line ends of Windows and of old Macs
                block = block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # noqa: PLW2901
            if b"\0" in block:
                raise BadInput(f"{name} is not a text file: a UID list has one UID a line.")
            yield _parse(block, name, line, dbfrom)
            line += block.count(b"\n")


def _blocks(stream: IO[bytes], name: str) -> Iterator[bytes]:
    """The bytes of a stream, cut where no word and no comment is cut."""
    carry = b""
    first = True
    while True:
        try:
            data = stream.read(BLOCK)
        except (OSError, EOFError, zlib.error, lzma.LZMAError, pa.ArrowException) as error:
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


def _parse(block: bytes, name: str, line: int, dbfrom: str) -> UidArray:
    if not block.translate(None, _CLEAN):
        try:
            return _bulk(block)
        except pa.ArrowInvalid:
            pass  # a number too large: find and name it
    return _careful(block, name, line, dbfrom)


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


def _careful(block: bytes, name: str, line: int, dbfrom: str) -> UidArray:
    prefix = _PREFIXES.get(dbfrom)
    spelling = re.compile(rb"(?:%b)?(\d+)" % prefix if prefix else rb"(\d+)", re.IGNORECASE)
    uids: list[int] = []
    for number, text in enumerate(block.split(b"\n"), line):
        for word in _WORDS.findall(text.partition(b"#")[0]):
            found = spelling.fullmatch(word)
            if not found:
                raise BadInput(_not_a_uid(name, number, word, dbfrom))
            uid = int(found[1].lstrip(b"0")[:20] or b"0")
            if not 1 <= uid <= MAX_UID:
                raise BadInput(
                    f"{name}, line {number}: {_shown(found[1])} is no UID; "
                    f"UIDs run from 1 to {MAX_UID}."
                )
            uids.append(uid)
    return np.array(uids, dtype=np.int64)


def _not_a_uid(name: str, line: int, word: bytes, dbfrom: str) -> str:
    remedy = f"UIDs of {dbfrom} are positive whole numbers"
    for db, prefix in _PREFIXES.items():
        if db != dbfrom and re.fullmatch(rb"%b\d+" % prefix, word, re.IGNORECASE):
            remedy += f"; this one is of {db}, asked for with --dbfrom {db}"
            return f"{name}, line {line}: '{_shown(word)}' is not a UID; {remedy}."
    if re.fullmatch(rb"[A-Z]{1,6}_?\d+(\.\d+)?", word, re.IGNORECASE):
        remedy += "; this looks like an accession"
    return f"{name}, line {line}: '{_shown(word)}' is not a UID; {remedy}."


def _shown(word: bytes) -> str:
    return printable(word[:40].decode("utf-8", "replace")) + ("…" if len(word) > 40 else "")
