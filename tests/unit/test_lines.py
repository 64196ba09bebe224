"""Reading UIDs from text: all spellings, all compressions, and a sentence for all that is wrong."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harvester.errors import BadInput
from harvester.sources import lines
from harvester.sources.lines import read_lines
from harvester.uids import MAX_UID

if TYPE_CHECKING:
    from pathlib import Path

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
compressions = pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS.keys())


@pytest.fixture
def listed(tmp_path: Path) -> Callable[[bytes], str]:
    """Write a list and get its name."""

    def write(data: bytes) -> str:
        path = tmp_path / "uids.txt"
        path.write_bytes(data)
        return str(path)

    return write


def read(name: str, dbfrom: str = "pubmed") -> list[int]:
    """All UIDs, in the order of the file."""
    return [uid for block in read_lines(name, dbfrom) for uid in block.tolist()]


def refusal(name: str, dbfrom: str = "pubmed") -> str:
    """The sentence with which a list is refused."""
    with pytest.raises(BadInput) as caught:
        read(name, dbfrom)
    return str(caught.value)


# --- spellings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b"7\n8\n9\n",
        b"7\n8\n9",
        b"7\r\n8\r\n9\r\n",
        b"7\r8\r9\r",
        b"7,8,9",
        b"7, 8, 9\n",
        b"7 8\t9\n",
        b"7\x0b8\x0c9",
        b"\n\n 7 \n\n\n8,,9,\n\n",
        b"\xef\xbb\xbf7\n8\n9\n",
        b"\xef\xbb\xbf# a title\n7\n8\n9\n",
        b"# a title\n7\n  # 1 2 3\n8 # and a remark, 4\n9#5\n",
        b"#\n7\n#\n8\n9\n#",
        b"007\n08\n9\n",
        b"PMID:7\npmid:8\nPMID9\n",
        b"PMID:7,PMID:8 9 # PMID:10\n",
    ],
)
def test_every_spelling_of_a_list_is_read(listed: Callable[[bytes], str], text: bytes) -> None:
    assert read(listed(text)) == [7, 8, 9]


@pytest.mark.parametrize("word", [b"PMC12", b"pmc12", b"PMC:12", b"PMCID:PMC12", b"12"])
def test_pmc_ids_are_understood_where_the_database_is_pmc(
    listed: Callable[[bytes], str], word: bytes
) -> None:
    assert read(listed(b"1\n" + word + b"\n"), "pmc") == [1, 12]


def test_order_and_duplicates_are_kept(listed: Callable[[bytes], str]) -> None:
    assert read(listed(b"9 3 9\n3 1\n")) == [9, 3, 9, 3, 1]


@pytest.mark.parametrize("text", [b"", b"\n", b"# nothing\n", b" , \t\n", b"\xef\xbb\xbf"])
def test_a_list_may_hold_nothing(listed: Callable[[bytes], str], text: bytes) -> None:
    assert read(listed(text)) == []


@pytest.mark.parametrize("prefix", [b"", b"PMID:"], ids=["bare", "prefixed"])
def test_the_largest_uid_is_read(listed: Callable[[bytes], str], prefix: bytes) -> None:
    text = prefix + b"9223372036854775807\n" + prefix + b"1\n"
    assert read(listed(text)) == [MAX_UID, 1]


@pytest.mark.parametrize("zeros", range(14, 24))
@pytest.mark.parametrize("prefix", [b"", b"PMID:"], ids=["bare", "prefixed"])
def test_any_number_of_leading_zeros_changes_nothing(
    listed: Callable[[bytes], str], zeros: int, prefix: bytes
) -> None:
    assert read(listed(prefix + b"0" * zeros + b"512\n")) == [512]


def test_blocks_are_int64_arrays(listed: Callable[[bytes], str]) -> None:
    blocks = list(read_lines(listed(b"1\n# careful\n2\n"), "pubmed"))
    assert [block.dtype for block in blocks] == [np.dtype(np.int64)]


# --- compression ----------------------------------------------------------------------------


@compressions
def test_compression_is_told_from_the_content_not_the_name(
    listed: Callable[[bytes], str], compress: Compress
) -> None:
    assert read(listed(compress(b"1\n2\n# three\n4\n"))) == [1, 2, 4]


@compressions
def test_members_one_after_the_other_are_one_list(
    listed: Callable[[bytes], str], compress: Compress
) -> None:
    """As `cat a.gz b.gz` makes them; a word may be cut where one member ends."""
    assert read(listed(compress(b"1\n2") + compress(b"3\n4\n") + compress(b"5\n"))) == [1, 23, 4, 5]


@pytest.mark.parametrize("name", ["gzip", "zstd", "xz", "bzip2"])
def test_an_archive_cut_anywhere_is_refused(listed: Callable[[bytes], str], name: str) -> None:
    whole = COMPRESSIONS[name]("\n".join(map(str, range(1, 400, 3))).encode())
    for cut in range(7, len(whole)):
        sentence = refusal(path := listed(whole[:cut]))
        assert sentence == (
            f"{path} is damaged or cut short: it cannot be decompressed to its end."
        ), cut


@pytest.mark.parametrize("name", ["gzip", "xz", "bzip2"])
def test_an_archive_with_a_flipped_byte_is_never_read_as_another_list(
    listed: Callable[[bytes], str], name: str
) -> None:
    """Each of these formats has a checksum over the content."""
    uids = list(range(1, 400, 3))
    whole = COMPRESSIONS[name]("\n".join(map(str, uids)).encode())
    refused = 0
    for at in range(10, len(whole)):
        damaged = whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :]
        try:
            assert read(listed(damaged)) == uids
        except BadInput:
            refused += 1
    assert refused > len(whole) // 2


def test_standard_input_is_read_compressed_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for compress in COMPRESSIONS.values():
        raw = io.BufferedReader(io.BytesIO(compress(b"3\n1\n2\n")))
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(raw))
        assert read("-") == [3, 1, 2]


def test_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "list").write_text("12")
    assert read("~/list") == [12]


# --- blocks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("block", range(4, 40))
def test_a_word_a_comment_or_a_line_end_may_lie_across_a_block(
    listed: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(lines, "BLOCK", block)
    text = b"\xef\xbb\xbf123456 # 99 98\r\n\r\n7,8\tPMID:9 \r\n# 11 12\r\n10#13\r\n14"
    assert read(listed(text)) == [123456, 7, 8, 9, 10, 14]


@pytest.mark.parametrize("separator", [b",", b" ", b"\t", b", "])
def test_one_endless_line_is_read_in_blocks(
    listed: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch, separator: bytes
) -> None:
    monkeypatch.setattr(lines, "BLOCK", 64)
    uids = list(range(1000, 2000))
    name = listed(separator.join(str(uid).encode() for uid in uids))
    blocks = list(read_lines(name, "pubmed"))
    assert [uid for block in blocks for uid in block.tolist()] == uids
    assert len(blocks) > 20


def test_a_comment_at_the_end_of_an_endless_line_is_a_comment(
    listed: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "BLOCK", 16)
    assert read(listed(b"1,2,3,4,5,6,7,8,9 # 10, 11, 12, 13, 14, 15, 16, 17\n18")) == [
        *range(1, 10),
        18,
    ]


@pytest.mark.parametrize("block", [8, 16, 33, 1 << 20])
def test_the_line_of_an_error_is_counted_over_blocks(
    listed: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(lines, "BLOCK", block)
    text = b"".join(b"%d, %d # line %d\r\n\n" % (n, n, n) for n in range(1, 101)) + b"1 2 oops 3"
    path = listed(text)
    assert refusal(path).startswith(f"{path}, line 201: 'oops' is not a UID")


# --- what is refused ------------------------------------------------------------------------

_NUMBERS = "UIDs of pubmed are positive whole numbers"
_ACCESSION = f"{_NUMBERS}; this looks like an accession"
_RANGE = f"is no UID; UIDs run from 1 to {2**63 - 1}."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"1\n2\nabc\n", f", line 3: 'abc' is not a UID; {_NUMBERS}."),
        (b"1\r\n2\r\nabc\r\n", f", line 3: 'abc' is not a UID; {_NUMBERS}."),
        (b"1,2,x,3\n", f", line 1: 'x' is not a UID; {_NUMBERS}."),
        (b"1\n\n\n-5\n", f", line 4: '-5' is not a UID; {_NUMBERS}."),
        (b"+5\n", f", line 1: '+5' is not a UID; {_NUMBERS}."),
        (b"1.5\n", f", line 1: '1.5' is not a UID; {_NUMBERS}."),
        (b"1e5\n", f", line 1: '1e5' is not a UID; {_NUMBERS}."),
        (b"0x1F\n", f", line 1: '0x1F' is not a UID; {_NUMBERS}."),
        (b"1_000\n", f", line 1: '1_000' is not a UID; {_NUMBERS}."),
        (b"1;2\n", f", line 1: '1;2' is not a UID; {_NUMBERS}."),
        (b'"1"\n', f", line 1: '\"1\"' is not a UID; {_NUMBERS}."),
        (b"uid\n1\n", f", line 1: 'uid' is not a UID; {_NUMBERS}."),
        (b"nan\n", f", line 1: 'nan' is not a UID; {_NUMBERS}."),
        (b"NULL\n", f", line 1: 'NULL' is not a UID; {_NUMBERS}."),
        (b"\xd9\xa1\n", f", line 1: '\u0661' is not a UID; {_NUMBERS}."),
        (b"1\xc2\xa02\n", f", line 1: '1?2' is not a UID; {_NUMBERS}."),
        (b"caf\xe9\n", f", line 1: 'caf\ufffd' is not a UID; {_NUMBERS}."),
        (b"\x1b[31mred\n", f", line 1: '?[31mred' is not a UID; {_NUMBERS}."),
        (b"x" * 41 + b"\n", f", line 1: '{'x' * 40}…' is not a UID; {_NUMBERS}."),
        (b"x" * 40 + b"\n", f", line 1: '{'x' * 40}' is not a UID; {_NUMBERS}."),
        (b"PMID\n", f", line 1: 'PMID' is not a UID; {_NUMBERS}."),
        (b"PMID:x\n", f", line 1: 'PMID:x' is not a UID; {_NUMBERS}."),
        (b"PMID:PMID:1\n", f", line 1: 'PMID:PMID:1' is not a UID; {_NUMBERS}."),
        (b"PMC12\n", f", line 1: 'PMC12' is not a UID; {_ACCESSION}."),
        (b"NM_000546.6\n", f", line 1: 'NM_000546.6' is not a UID; {_ACCESSION}."),
        (b"0\n", f", line 1: 0 {_RANGE}"),
        (b"1\n2\n00\n", f", line 3: 00 {_RANGE}"),
        (b"PMID:0\n", f", line 1: 0 {_RANGE}"),
        (b"9223372036854775808\n", f", line 1: 9223372036854775808 {_RANGE}"),
        (b"1\n18446744073709551617\n", f", line 2: 18446744073709551617 {_RANGE}"),
        (b"1" * 50 + b"\n", f", line 1: {'1' * 40}… {_RANGE}"),
        (b"1\n\0\n", " is not a text file: a UID list has one UID a line."),
        ("1\n2\n".encode("utf-16"), " is not a text file: a UID list has one UID a line."),
        (b"PAR1\x15\0\x15", " is not a text file: a UID list has one UID a line."),
    ],
)
def test_what_is_not_a_uid_is_named_with_file_line_and_text(
    listed: Callable[[bytes], str], text: bytes, sentence: str
) -> None:
    path = listed(text)
    assert refusal(path) == path + sentence


@pytest.mark.parametrize(
    ("word", "dbfrom"), [(b"PMC1", "pubmed"), (b"PMID:1", "pmc"), (b"PMID:1", "gene")]
)
def test_a_prefix_of_another_database_is_refused(
    listed: Callable[[bytes], str], word: bytes, dbfrom: str
) -> None:
    sentence = refusal(listed(word), dbfrom)
    assert f"'{word.decode()}' is not a UID; UIDs of {dbfrom} are" in sentence


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "none.txt")
    assert refusal(path) == f"The UID list {path} cannot be read: No such file or directory."


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    assert refusal(str(tmp_path)) == f"The UID list {tmp_path} cannot be read: Is a directory."


def test_the_home_of_nobody_is_refused_with_a_sentence() -> None:
    assert "~nobody-of-this-name/list" in refusal("~nobody-of-this-name/list")


def test_a_name_that_no_file_can_have_is_refused_with_a_sentence() -> None:
    assert "cannot be read" in refusal("a\0b")


def test_a_comment_ends_where_a_line_of_old_mac_files_ends(
    listed: Callable[[bytes], str],
) -> None:
    assert read(listed(b"# title\r1\r2\r")) == [1, 2]


# --- properties -----------------------------------------------------------------------------

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
    monkeypatch.setattr(lines, "BLOCK", block)
    count = len(uids)
    heads = data.draw(st.lists(_HEADS, min_size=count, max_size=count))
    gaps = data.draw(st.lists(_GAPS, min_size=count, max_size=count))
    text = data.draw(_BEGINNINGS)
    text += b"".join(b"%b%d%b" % row for row in zip(heads, uids, gaps, strict=True))
    if data.draw(st.booleans()):
        text = text.rstrip(b"\n\r, ")
    assert read(listed(compress(text))) == uids


@in_any_place
@given(
    text=st.one_of(
        st.binary(max_size=200),
        st.text(alphabet="0123456789 ,\n\r#PMID:C-", max_size=200).map(str.encode),
        st.builds(
            bytes.__add__,
            st.sampled_from([b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"]),
            st.binary(max_size=60),
        ),
    ),
    dbfrom=st.sampled_from(["pubmed", "pmc", "gene"]),
    block=st.sampled_from([8, 50, 1 << 20]),
)
@example(text=lzma.compress(b"1\n" * 50)[:-20] + b"\0" * 20, dbfrom="gene", block=50)
def test_any_bytes_are_uids_or_bad_input(
    listed: Callable[[bytes], str],
    monkeypatch: pytest.MonkeyPatch,
    text: bytes,
    dbfrom: str,
    block: int,
) -> None:
    monkeypatch.setattr(lines, "BLOCK", block)
    try:
        uids = read(listed(text), dbfrom)
    except BadInput as error:
        said = str(error)
    else:
        said = ""
        assert all(1 <= uid <= MAX_UID for uid in uids)
    assert said.isprintable()
