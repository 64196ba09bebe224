"""Any bytes as a list of UIDs, read by the harvester and by a simple reader of the tests' own."""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.uid_lists import COMPRESSIONS, Compress, read

from harvester.errors import BadInput
from harvester.model.uids import MAX_UID
from harvester.sources import text as text_module

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("either_way")

_UIDS = st.lists(st.one_of(st.integers(1, 60_000_000), st.integers(1, MAX_UID)), max_size=60)
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
    monkeypatch.setattr(text_module, "BLOCK", block)
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
class Simply:
    """What a list holds, word by word: its UIDs, and the lines in which something is none."""

    uids: list[int]
    wrong: list[int]


def read_simply(data: bytes, dbfrom: str) -> Simply:
    """Slow and plain: text, lines, words; no blocks, no patterns, no arrays."""
    text = data.decode("latin-1").removeprefix("\xef\xbb\xbf")
    found = Simply([], [])
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        words = line.split("#")[0]
        for separator in ",\t\v\f":
            words = words.replace(separator, " ")
        for word in words.split(" "):
            digits = _without_prefix(word.upper(), dbfrom)
            if not word:
                continue
            if digits and set(digits) <= set("0123456789") and 1 <= int(digits) < 2**63:
                found.uids.append(int(digits))
            else:
                found.wrong.append(number)
    return found


def _without_prefix(word: str, dbfrom: str) -> str:
    """PMID:1 is 1 where the database is pubmed; PMC:1, and PMCID:PMC1 too, where it is pmc."""
    rest = word.removeprefix("PMCID:") if dbfrom == "pmc" else word
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
    """Nothing but UIDs or BadInput ever comes of a list, and the UIDs are the right ones."""
    monkeypatch.setattr(text_module, "BLOCK", block)
    simply = read_simply(text, dbfrom)
    name = listed(compress(text))
    try:
        uids = read(name, dbfrom)
    except BadInput as error:
        said = str(error)
        assert said.isprintable()
        assert name in said
        assert simply.wrong or b"\0" in text
        if ", line " in said:
            assert said.startswith(f"{name}, line {simply.wrong[0]}: ")
    else:
        assert uids == simply.uids
        assert not simply.wrong
        assert all(1 <= uid <= MAX_UID for uid in uids)


@in_any_place
@given(st.binary(max_size=400), st.sampled_from(list(COMPRESSIONS)), st.data())
def test_a_damaged_archive_is_read_whole_or_refused(
    listed: Callable[[bytes], str], text: bytes, name: str, data: st.DataObject
) -> None:
    """Cut, grown, or with some bytes changed: never an error of another kind."""
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
