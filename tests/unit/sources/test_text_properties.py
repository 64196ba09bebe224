"""Any bytes as a list of UIDs, read by the harvester and by a simple reader in this module."""

from __future__ import annotations

import lzma
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.uid_lists import COMPRESSIONS, Compress, read

from harvester.errors import BadInput
from harvester.model.uids import MAX_UID
from harvester.sources import encoding

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("either_way")

_UIDS = st.lists(st.one_of(st.integers(1000, 60_000_000), st.integers(1000, MAX_UID)), max_size=60)
"""Of four digits and more: smaller ones with commas may be numbers in groups of three digits."""
_GAPS = st.sampled_from(
    [b"\n", b"\r\n", b",", b" ", b"\t", b", ", b",,\n", b"\n\n", b" \x0b", b"\x0c", b" # 7,8 x\n",
     b"#9\r\n", b"\n# 10\n\n"]
)  # fmt: skip
_HEADS = st.sampled_from([b"", b"0", b"000", b"PMID:", b"pmid", b"PmId:00"])
_BEGINNINGS = st.sampled_from([b"", b"\xef\xbb\xbf", b"# 1 2 3\n", b"\n", b" "])
_COMPRESS = st.sampled_from(list(COMPRESSIONS.values()))
in_any_place = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@in_any_place
@given(uids=_UIDS, data=st.data(), compress=_COMPRESS, block=st.integers(8, 200))
def test_any_list_in_any_spelling_is_read_back(
    listed: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
    uids: list[int],
    data: st.DataObject,
    compress: Compress,
    block: int,
) -> None:
    monkeypatch.setattr(encoding, "BLOCK", block)
    count = len(uids)
    heads = data.draw(st.lists(_HEADS, min_size=count, max_size=count))
    gaps = data.draw(st.lists(_GAPS, min_size=count, max_size=count))
    text = data.draw(_BEGINNINGS)
    text += b"".join(b"%b%d%b" % row for row in zip(heads, uids, gaps, strict=True))
    if data.draw(st.booleans()):
        text = text.rstrip(b"\n\r, ")
    assert read(listed(compress(text))) == uids


# --- a simple reader of the tests' own ------------------------------------------------------


@dataclass(frozen=True)
class Simple:
    """The content of a list, read word by word.

    Attributes:
        uids: those in it, if numbers in groups of three digits are taken for lists.
        wrong: lines in which a word is not a UID.
        perhaps_grouped: lines with numbers that a comma or a blank joins to three digits.
        grouped: lines that are a number in groups of three digits.
    """

    uids: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    perhaps_grouped: list[int] = field(default_factory=list)
    grouped: list[int] = field(default_factory=list)


def read_simply(data: bytes, dbfrom: str) -> Simple:
    """Read slowly and simply: text, lines, words; no blocks, no arrays."""
    found = Simple()
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    for number, raw in enumerate(lines, 1):
        line = _text(raw.split(b"#")[0])
        if re.search("[0-9][, ][0-9]{3}", line):
            found.perhaps_grouped.append(number)
        if any(_is_grouped(line.strip(BLANKS).split(separator)) for separator in ", "):
            found.grouped.append(number)
        for word in _words(line, dbfrom):
            digits = _without_prefix(word.upper(), dbfrom).strip(BLANKS)
            whole, _, zeros = digits.partition(".")
            if set(zeros) == {"0"} and not _is_grouped(digits.split(".")):
                digits = whole
            if digits and set(digits) <= DIGITS and 1 <= int(digits) < 2**63:
                found.uids.append(int(digits))
            else:
                found.wrong.append(number)
    return found


def _is_grouped(parts: list[str]) -> bool:
    return (
        len(parts) > 1
        and all(set(part) <= DIGITS and len(part) == 3 for part in parts[1:])
        and set(parts[0]) <= DIGITS
        and 1 <= len(parts[0]) <= 3
        and parts[0][0] != "0"
        and int("".join(parts)) < 2**63
    )


DIGITS = set("0123456789")
BLANKS = " \t\v\f\u00a0\u2028\ufeff"


def _text(raw: bytes) -> str:
    for coding in ("utf-8", "cp1252"):
        try:
            return raw.decode(coding)
        except UnicodeDecodeError:
            pass
    return raw.decode("latin-1")


def _words(line: str, dbfrom: str) -> list[str]:
    """Return the words of a line; a prefix before a number is one word with it."""
    for separator in "\t\v\f":
        line = line.replace(separator, " ")
    words = list[str]()
    for part in line.split(","):
        joined = ""
        for word in part.split(" "):
            if not word.strip(BLANKS):
                continue
            joined += word
            if _is_prefix(joined.upper(), dbfrom):
                continue
            words.append(joined)
            joined = ""
        words += [joined] if joined else []
    return words


def _is_prefix(word: str, dbfrom: str) -> bool:
    prefixes = {"pubmed": ["PMID"], "pmc": ["PMC", "PMCID", "PMCIDPMC"]}.get(dbfrom, [])
    return word.replace(":", "") in prefixes


def _without_prefix(word: str, dbfrom: str) -> str:
    """Return the number after a prefix: PMID: in pubmed, PMC: and PMCID:PMC in pmc."""
    rest = word.removeprefix("PMCID").removeprefix(":") if dbfrom == "pmc" else word
    prefix = {"pubmed": "PMID", "pmc": "PMC"}.get(dbfrom)
    if prefix and rest.startswith(prefix):
        return rest.removeprefix(prefix).removeprefix(":")
    return word


_WORDS = st.one_of(
    st.integers(0, 10**6).map(lambda number: b"%d" % number),
    st.integers(2**63 - 2, 2**64 + 1).map(lambda number: b"%d" % number),
    st.sampled_from(
        [b"PMID:7", b"pmid8", b"PMC9", b"pmc:10", b"PMCID:PMC11", b"PMCID:12", b"PMID:", b"PMC",
         b"PMID::1", b"PMID:PMID:1", b"0", b"000", b"-1", b"+2", b"1.5", b"1e3", b"0x1F", b"1_0",
         b"NM_1.2", b"\xc2\xb2", b"\xd9\xa1", b"\xa0", b"\x1c", b"\x85", b"\xe2\x80\xa8", b"\0",
         b"\x1b[2J", b"nan", b"NULL", b'"1"', b"\x1f\x8b", b"BZh9", b"(\xb5/\xfd"]
    ),
    st.binary(max_size=3),
)  # fmt: skip
_BETWEEN = st.one_of(_GAPS, st.sampled_from([b"", b"\r", b"#", b"\xef\xbb\xbf", b";", b"\n\r\n"]))
_TEXTS = st.one_of(
    st.binary(max_size=200),
    st.lists(st.builds(bytes.__add__, _WORDS, _BETWEEN), max_size=30).map(b"".join),
    st.builds(
        bytes.__add__,
        st.sampled_from([b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"]),
        st.binary(max_size=60),
    ),
)


@in_any_place
@given(
    text=_TEXTS,
    dbfrom=st.sampled_from(["pubmed", "pmc", "gene"]),
    block=st.sampled_from([8, 50, 1 << 20]),
    compress=_COMPRESS,
)
@example(
    text=lzma.compress(b"1\n" * 50)[:-20] + b"\0" * 20, dbfrom="gene", block=50, compress=bytes
)
@example(text=b"1\r\n2 PMC3\r# x\ry", dbfrom="pmc", block=8, compress=bytes)
def test_any_bytes_are_the_uids_in_them_or_bad_input(
    listed: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
    text: bytes,
    dbfrom: str,
    block: int,
    compress: Compress,
) -> None:
    """A list gives the right UIDs or BadInput, and no other error."""
    monkeypatch.setattr(encoding, "BLOCK", block)
    simply = read_simply(text, dbfrom)
    name = listed(compress(text))
    try:
        uids = read(name, dbfrom)
    except BadInput as error:
        said = str(error)
        assert said.isprintable()
        assert name in said
        assert simply.wrong or simply.perhaps_grouped or b"\0" in text or b"\t" in text
        if found := re.search(", line ([0-9]+): ", said):
            assert int(found[1]) in {*simply.wrong[:1], *simply.perhaps_grouped}
            assert said.startswith(f"{name}{found[0]}")
    else:
        assert uids == simply.uids
        assert not simply.wrong
        assert not simply.grouped
        assert all(1 <= uid <= MAX_UID for uid in uids)


@in_any_place
@given(st.binary(max_size=400), st.sampled_from(list(COMPRESSIONS)), st.data())
def test_a_damaged_archive_is_read_whole_or_refused(
    listed: Callable[[bytes], str], text: bytes, name: str, data: st.DataObject
) -> None:
    """Cut, grown, or with changed bytes: the only error is BadInput."""
    packed = bytearray(COMPRESSIONS[name](b"".join(b"%d\n" % (byte + 1) for byte in text)))
    for place in data.draw(st.lists(st.integers(0, len(packed)), max_size=3)):
        packed[place : place + 1] = data.draw(st.binary(max_size=2))
    said, uids = "", []
    try:
        uids = read(listed(bytes(packed)))
    except BadInput as error:
        said = str(error)
    assert said.isprintable()
    assert all(1 <= uid <= MAX_UID for uid in uids)
