"""UIDs in plain text: one per line, or separated by commas or blanks; `#` starts a comment.

Blocks of digits and separators alone are parsed in bulk by Arrow. Any other block is parsed word
by word, so that an error can name its line.

A number with thousands separators must not be read as a list. So digits that are joined by single
commas, or by single blanks, in groups like `12,345,678` are rejected, although they may be a list
of UIDs below 1,000. Such a list is accepted with one UID per line, or as `12, 345, 678`.
"""

from __future__ import annotations

import re
from typing import IO, TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from harvester.errors import BadInput
from harvester.sources.compressed import display_name, open_input
from harvester.sources.encoding import chunks_of, decode, line_blocks
from harvester.sources.notation import (
    UidParser,
    clean,
    display_word,
    explain_thousands,
    is_grouped,
    without_comment,
)
from harvester.sources.rejected import BadEntries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harvester.model.uids import UidArray
    from harvester.sources.rejected import Reject, Warn

T = TypeVar("T")

_SEPARATORS = b", \t\r\v\f"
_TO_NEWLINES = bytes.maketrans(_SEPARATORS, b"\n" * len(_SEPARATORS))
_CLEAN = b"0123456789\n" + _SEPARATORS
_WORDS = re.compile(r"[^ \t\v\f,]+")

_RUNS = {",": re.compile(r"[0-9]+(?:,[0-9]+)+"), " ": re.compile(r"[0-9]+(?: [0-9]+)+")}
"""Separator → pattern of numbers that it joins."""

_DELIMITERS = {"tabs": re.compile(r"\t"), "commas": re.compile(" *, *"), "blanks": re.compile(" +")}
"""Name in the warning → possible column separator of a table given as a list."""

_HEAD = 1 << 12
"""Bytes in which the first line of UIDs is searched."""

_SHORT = 1 << 15
"""Bytes up to which a block is parsed word by word: faster than starting Arrow's threads."""


def read_lines(name: str, dbfrom: str, reject: Reject | None = None) -> Iterator[UidArray]:
    """Yield the UIDs of a text file in blocks, in file order, with duplicates.

    Args:
        name: path, or `-` for standard input; gzip, bzip2, xz and zstd are decompressed.
        dbfrom: database of the UIDs; decides which prefixes (as in PMID:1) are accepted.
        reject: called with each word that is not a UID, which is left out; None makes it an error.

    Raises:
        BadInput: Words are not UIDs (names file, line and text), or the file is not text. Raised
            after the last block, since all wrong words are counted.
    """
    with open_input(name) as stream:
        yield from lines_of(stream, UidParser(dbfrom), BadEntries(name, reject=reject), name)


def lines_of(stream: IO[bytes], parse: UidParser, bad: BadEntries, name: str) -> Iterator[UidArray]:
    """Yield the UIDs of an open text file; see `read_lines`."""
    for line, block in list_blocks(stream, name, bad.warn):
        uids = None
        if len(block) > _SHORT and not block.translate(None, _CLEAN) and not _may_group(block):
            uids = _parse_in_bulk(block)
        if uids is None:
            found = parse_words(block, line, parse, bad, parse.join_prefixes)
            uids = np.fromiter(found, np.int64)
        yield uids
    bad.finish()


def list_blocks(stream: IO[bytes], name: str, warn: Warn) -> Iterator[tuple[int, bytes]]:
    """Yield an open list in blocks that cut no word and no comment.

    Args:
        stream: the decompressed file.
        name: its path, or `-`.
        warn: called with a sentence if the list may be a table.

    Yields:
        The number of the block's first line, from 1, and its bytes.

    Raises:
        BadInput: The file is damaged, is not text, or is a table.
    """
    chunks = chunks_of(stream, display_name(name))
    for line, block in line_blocks(chunks, cut_lines=True):
        if line == 1:
            _check_no_table(block, display_name(name), warn)
        yield line, block


def parse_words(
    block: bytes,
    line: int,
    parse: Callable[[str], T],
    bad: BadEntries,
    prepare: Callable[[str], str] = str,
) -> Iterator[T]:
    """Yield the words of a block, parsed; collect those that are wrong.

    Args:
        block: whole lines.
        line: number of the first line.
        parse: raises ValueError with a sentence about a word that is wrong.
        bad: collects those.
        prepare: applied to each line before it is divided.
    """
    for number, raw in enumerate(block.split(b"\n"), line):
        text, grouped = _take_groups(prepare(without_comment(decode(raw))))
        for run in grouped:
            bad.add(number, run, f"'{display_word(run)}' is not a UID; {explain_thousands(run)}.")
        for word in _WORDS.findall(text):
            if not clean(word):
                continue
            try:
                yield parse(word)
            except ValueError as error:
                bad.add(number, clean(word), str(error))


def _take_groups(text: str) -> tuple[str, list[str]]:
    """Separate the parts of a line that may be numbers with thousands separators from the rest."""
    grouped: list[str] = []

    def take(run: re.Match[str]) -> str:
        if not is_grouped(run[0]):
            return run[0]
        grouped.append(run[0])
        return " "

    for separator, runs in _RUNS.items():
        if separator in text:
            text = runs.sub(take, text)
    return text, grouped


def _may_group(block: bytes) -> bool:
    """Return False if `_take_groups` takes nothing from a block of digits and separators."""
    if b"," not in block and b" " not in block:
        return False
    codes = np.frombuffer(block, np.uint8)
    places = np.flatnonzero((codes < ord("0")) | (codes > ord("9")))
    lengths = np.diff(places, prepend=-1, append=len(codes)) - 1  # of the numbers between them
    joined = (codes[places] == ord(",")) | (codes[places] == ord(" "))
    before, after = lengths[:-1], lengths[1:]
    return bool((joined & (before >= 1) & (before <= 3) & (after == 3)).any())


def _parse_in_bulk(block: bytes) -> UidArray | None:
    """Return the numbers of a block, or None if one of them is not a UID."""
    try:
        table = pacsv.read_csv(
            pa.py_buffer(block.translate(_TO_NEWLINES) + b"\n0\n"),  # Arrow rejects an empty table
            read_options=pacsv.ReadOptions(column_names=["uid"], use_threads=False),
            convert_options=pacsv.ConvertOptions(column_types={"uid": pa.int64()}),
        )
    except pa.ArrowInvalid:  # out of range
        return None
    uids: UidArray = table["uid"].to_numpy()[:-1]
    return None if len(uids) and uids.min() < 1 else uids


def _check_no_table(block: bytes, name: str, warn: Warn) -> None:
    """Raise if a list is a table of numbers; warn if it may be one.

    NCBI's own tables, such as gene2pubmed, begin with the line `#tax_id GeneID PubMed_ID`, which
    is a comment in a list.

    Raises:
        BadInput: A comment has as many cells as the first line after it.
    """
    lines = [decode(raw) for raw in block[:_HEAD].split(b"\n")]
    if len(block) > _HEAD:
        lines.pop()  # cut
    for called, delimiter in _DELIMITERS.items():
        names: list[str] = []
        widths: list[int] = []
        for line in filter(None, map(clean, lines)):
            if line.startswith("#"):
                names = [] if called == "blanks" else delimiter.split(line)
                continue
            cells = delimiter.split(clean(without_comment(line)))
            if called != "tabs" and (not all(map(str.isdecimal, cells)) or is_grouped(line)):
                widths = []
                break
            if len(names) == len(cells) > 1 and all(names) and not _is_prose(names, called):
                raise BadInput(
                    f"{name} looks like a table with the columns "
                    f"{', '.join(map(display_word, names))}: choose one with --ids-column, or "
                    "remove the line that names them."
                )
            widths.append(len(cells))
        if len(widths) > 1 and len(set(widths)) == 1 and widths[0] > 1:
            first = "separate them with tabs and " if called == "blanks" else ""
            warn(
                f"{name} may be a table: each line has {widths[0]} columns, separated by {called}. "
                f"All are read as UIDs; to read one of them, {first}give its number with "
                "--ids-column."
            )
            return


def _is_prose(names: list[str], called: str) -> bool:
    """Return whether a comment with commas is a sentence rather than names of columns."""
    return called == "commas" and any(" " in one.lstrip("# ") for one in names)
