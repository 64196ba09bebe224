"""Text files of any encoding; other kinds of file are recognised and refused.

UIDs, separators and delimiters are ASCII. UTF-16 and UTF-32 are converted, since their bytes are
not. UTF-8, Latin-1 and the Windows code pages stay unchanged: `decode` decodes a single word if
its text matters.
"""

from __future__ import annotations

import codecs
import re
from itertools import chain
from typing import IO, TYPE_CHECKING

from harvester.errors import BadInput
from harvester.sources.compressed import DAMAGE, damaged, display_name, open_input

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = 4 << 20
"""Bytes per read."""

_HEAD = 1 << 12
"""Number of first bytes that decide the kind of a file."""

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: None,
    codecs.BOM_UTF32_LE: "utf-32-le",  # begins with the mark of UTF-16, so it comes first
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""Byte order mark → encoding to convert from; None for bytes that can stay."""

_SAVE_AS_CSV = "save the sheet with the UIDs as CSV (UTF-8) and give that file"
_EXPORT = "export the UIDs as text, one UID per line"

_SAVE_PMIDS = "in PubMed, save the articles in the format PMID and give that file"

_OTHER_KINDS: tuple[tuple[re.Pattern[bytes], str, str], ...] = (
    (
        re.compile(rb"PK\x03\x04.{0,4000}?(?:xl/|\[Content_Types\]|_rels/)", re.DOTALL),
        "an Excel workbook or other Office file (.xlsx)",
        _SAVE_AS_CSV,
    ),
    (
        re.compile(rb"PK\x03\x04.{26}mimetypeapplication/vnd\.oasis", re.DOTALL),
        "an OpenDocument file (.ods)",
        _SAVE_AS_CSV,
    ),
    (
        re.compile(rb"PK\x03\x04|PK\x05\x06"),
        "a zip archive or a workbook",
        f"unpack it, or {_SAVE_AS_CSV}",
    ),
    (re.compile(rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "an Excel file (.xls)", _SAVE_AS_CSV),
    (re.compile(rb"\s*%PDF"), "a PDF document", _EXPORT),
    (re.compile(rb"\{\\rtf"), "an RTF document", _EXPORT),
    (re.compile(rb"\s*<(?:!|\?|[A-Za-z])"), "an HTML or XML page", _EXPORT),
    (re.compile(rb"\s*[\[{]\s*[\"\[{\d\]}]"), "JSON", _EXPORT),
    (re.compile(rb"\s*PMID- *\d"), "a MEDLINE export (.nbib)", _SAVE_PMIDS),
    (re.compile(rb"\s*TY  ?- "), "an RIS export", _SAVE_PMIDS),
    (re.compile(rb"\s*@\w+\s*\{"), "BibTeX", _SAVE_PMIDS),
    (re.compile(rb"\s*%0 \w"), "an EndNote export", _SAVE_PMIDS),
    (re.compile(rb"SQLite format 3\0"), "an SQLite database", _EXPORT),
    (re.compile(rb".{257}ustar", re.DOTALL), "a tar archive", "unpack it and give the list in it"),
    (
        re.compile(
            rb"\x1f\x8b\x08|BZh\d1AY|\xfd7zXZ\0|\x28\xb5\x2f\xfd|7z\xbc\xaf|Rar!|\x1f\x9d|\x5d\0\0"
        ),
        "compressed, in a form that is not read (or twice)",
        "decompress it",
    ),
)
"""First bytes of a file that is not a list → its kind, and the remedy."""

_SAFE_CUT = re.compile(rb"[0-9]{4,}[, \t]+(?=[0-9]{4,}[, \t]|[A-Za-z])")
"""Where a number may be cut from the next: four digits are no group of three."""

_TAIL = 1 << 16
"""Bytes at the end of a chunk in which an overlong line is cut."""


def text_chunks(name: str) -> Iterator[bytes]:
    """Yield the bytes of a text file, decompressed, without a byte order mark.

    Args:
        name: path, or `-` for standard input.

    Raises:
        BadInput: The file cannot be read, is damaged, or is not text.
    """
    with open_input(name) as stream:
        yield from chunks_of(stream, display_name(name))


def chunks_of(stream: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield the bytes of an open text file; see `text_chunks`.

    Args:
        stream: the decompressed file.
        name: of the file, for errors.
    """
    head = _read(stream, _HEAD, name)
    mark = next((mark for mark in _BYTE_ORDER_MARKS if head.startswith(mark)), b"")
    encoding = _BYTE_ORDER_MARKS.get(mark)
    head = head[len(mark) :]
    if len(head) < BLOCK:
        head += _read(stream, BLOCK - len(head), name)
    first = (head[at : at + BLOCK] for at in range(0, len(head), BLOCK))
    chunks: Iterator[bytes] = chain(first, iter(lambda: _read(stream, BLOCK, name), b""))
    if encoding is not None:
        chunks = _converted(chunks, encoding, name)
    for number, chunk in enumerate(chunks):
        if not number:
            _check_kind(chunk, name)
        if b"\0" in chunk:
            raise BadInput(
                f"{name} is not a text file, or UTF-16 without a byte order mark: give one UID "
                "per line, saved as UTF-8 text."
            )
        yield chunk


def line_blocks(chunks: Iterable[bytes], *, cut_lines: bool = False) -> Iterator[tuple[int, bytes]]:
    """Yield a text in blocks of whole lines that end in a line feed.

    Args:
        chunks: the bytes of the text.
        cut_lines: Cut a line that is longer than a chunk where no number, and no number in groups
            of three digits, can be cut.

    Yields:
        The number of the block's first line, from 1, and its bytes.
    """
    line, carry = 1, b""
    for chunk in chunks:
        data = carry + chunk
        # A carriage return at the very end may be the first half of a line end of Windows.
        cut = max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1
        if not cut and carry and cut_lines and b"#" not in data:
            end = (found.end() for found in _SAFE_CUT.finditer(data, max(len(data) - _TAIL, 0)))
            cut = max(end, default=0)
        block, carry = _with_line_feeds(data[:cut]), data[cut:]
        if block:
            yield line, block
            line += block.count(b"\n")
    if carry:
        yield line, _with_line_feeds(carry)


def decode(word: bytes) -> str:
    """Return a word as text: UTF-8, or else the Western code page of Windows, or Latin-1."""
    for encoding in ("utf-8", "cp1252"):
        try:
            return word.decode(encoding)
        except UnicodeDecodeError:
            pass
    return word.decode("latin-1")


def _converted(chunks: Iterable[bytes], encoding: str, name: str) -> Iterator[bytes]:
    """Convert to UTF-8."""
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", final=True).encode()
    except UnicodeError as error:
        raise BadInput(
            f"{name} begins like {encoding.upper()} text and is not: save it as UTF-8 text."
        ) from error


def _read(stream: IO[bytes], size: int, name: str) -> bytes:
    try:
        return stream.read(size)
    except DAMAGE as error:
        raise damaged(name) from error


def _check_kind(head: bytes, name: str) -> None:
    """Check that a file does not begin like one of a kind that holds no plain text.

    Raises:
        BadInput: It does; names the kind and the remedy.
    """
    for pattern, kind, remedy in _OTHER_KINDS:
        if pattern.match(head):
            raise BadInput(f"{name} is {kind}, not text: {remedy}.")


def _with_line_feeds(block: bytes) -> bytes:
    """Convert the line ends of Windows and of old Macs."""
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in block else block
