"""UIDs from text: all notations, all compressions, in blocks of any size."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
import zstandard
from support.uid_lists import COMPRESSIONS, Compress, read, refusal

from harvester.errors import BadInput
from harvester.model.uids import MAX_UID
from harvester.sources import encoding
from harvester.sources.text import read_lines

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("either_way")

compressions = pytest.mark.parametrize("compress", COMPRESSIONS.values(), ids=COMPRESSIONS.keys())


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
    """`cat a.gz b.gz` makes such files; a word may be split where one member ends."""
    assert read(listed(compress(b"1\n2") + compress(b"3\n4\n") + compress(b"5\n"))) == [1, 23, 4, 5]


@pytest.mark.parametrize(("name", "magic"), [("gzip", 2), ("zstd", 4), ("xz", 6), ("bzip2", 3)])
def test_an_archive_cut_anywhere_is_refused(
    listed: Callable[[bytes], str], name: str, magic: int
) -> None:
    whole = COMPRESSIONS[name]("\n".join(map(str, range(1, 400, 3))).encode())
    for cut in range(magic, len(whole)):
        sentence = refusal(path := listed(whole[:cut]))
        assert sentence == (
            f"{path} is damaged or cut short: it cannot be decompressed to its end."
        ), cut


@pytest.mark.parametrize("name", ["gzip", "zstd", "xz", "bzip2"])
def test_what_follows_an_archive_is_never_dropped(
    listed: Callable[[bytes], str], name: str
) -> None:
    """As `cat a.xz b.txt` makes it, or damage to the first bytes of a second member."""
    compress = COMPRESSIONS[name]
    second = compress(b"3\n")
    for rest in (b"3\n", b"\x55" + second[1:], second[:-1]):
        path = listed(compress(b"1\n2\n") + rest)
        assert "damaged or cut short" in refusal(path)


@pytest.mark.parametrize("name", ["gzip", "xz"])
def test_zeros_after_an_archive_are_padding(listed: Callable[[bytes], str], name: str) -> None:
    compress = COMPRESSIONS[name]
    assert read(listed(compress(b"1\n") + bytes(512) + compress(b"2\n") + bytes(40_000))) == [1, 2]


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
    monkeypatch.setattr(encoding, "BLOCK", block)
    text = b"\xef\xbb\xbf123456 # 99 98\r\n\r\n7,8\tPMID:9 \r\n# 11 12\r\n10#13\r\n14"
    assert read(listed(text)) == [123456, 7, 8, 9, 10, 14]


@pytest.mark.parametrize("separator", [b",", b" ", b"\t", b", "])
def test_one_endless_line_is_read_in_blocks(
    listed: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch, separator: bytes
) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 64)
    uids = list(range(1000, 2000))
    name = listed(separator.join(str(uid).encode() for uid in uids))
    blocks = list(read_lines(name, "pubmed"))
    assert [uid for block in blocks for uid in block.tolist()] == uids
    assert len(blocks) > 20


def test_a_comment_at_the_end_of_an_endless_line_is_a_comment(
    listed: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 16)
    assert read(listed(b"1,2,3,4,5,6,7,8,9 # 10, 11, 12, 13, 14, 15, 16, 17\n18")) == [
        *range(1, 10),
        18,
    ]


@pytest.mark.parametrize("block", [8, 16, 33, 1 << 20])
def test_the_line_of_an_error_is_counted_over_blocks(
    listed: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(encoding, "BLOCK", block)
    text = b"".join(b"%d, %d # line %d\r\n\n" % (n, n, n) for n in range(1, 101)) + b"1 2 oops 3"
    path = listed(text)
    assert refusal(path).startswith(f"{path}, line 201: 'oops' is not a UID")


# --- long windows of zstd ---------------------------------------------------------------------


def _long(data: bytes, log: int = 31) -> bytes:
    """Compress as `zstd --long=31` does for a stream of unknown size."""
    parameters = zstandard.ZstdCompressionParameters(window_log=log)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return stream.compress(data) + stream.flush()


@pytest.mark.parametrize("log", [27, 28, 31])
def test_zstd_with_a_long_window_is_read(listed: Callable[[bytes], str], log: int) -> None:
    packed = _long(b"1\n2\n", log)
    assert zstandard.get_frame_parameters(packed).window_size == 1 << log
    assert read(listed(packed)) == [1, 2]
    assert read(listed(zstandard.compress(b"7\n") + packed + b"\x50\x2a\x4d\x18\1\0\0\0x")) == [
        7,
        1,
        2,
    ]
    assert "damaged" in refusal(listed(packed[:-2]))


def test_zstd_that_begins_with_a_skippable_frame_is_read(listed: Callable[[bytes], str]) -> None:
    """pzstd writes such files."""
    assert read(listed(b"\x50\x2a\x4d\x18\4\0\0\0abcd" + zstandard.compress(b"1\n2\n"))) == [1, 2]


# --- numbers with thousands separators --------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b"12,345,678\n31,452,104\n9,606\n",
        b"12,345,678",
        b"12345678\n9,606\n",
        b"12 345 678\n",
        b"9 606",
        b"12,345,\n6\n",
        b"PMID: 12,345\n",
        b"12345,678\n12,345,678 12345\n",
        b"12,345,678, 31,452,104\n",
        b"1,000,12 1,000\n",
        b"# 1\n12,345 # 1\n",
        b"1,23,45,678\n",
        b"12345678\n1,23,456\n",
    ],
)
def test_a_number_in_groups_of_three_digits_is_not_read_as_a_list(
    listed: Callable[[bytes], str], text: bytes
) -> None:
    assert "for a number with thousands separators" in refusal(listed(text))


@pytest.mark.parametrize(
    ("text", "uids"),
    [
        (b"12,345,6789\n", [12, 345, 6789]),
        (b"1234,567\n", [1234, 567]),
        (b"12, 345, 678\n", [12, 345, 678]),
        (b"12,  345\n", [12, 345]),
        (b"12\t345\n", [12, 345]),
        (b"012,345\n", [12, 345]),
        (b"12,45,6789\n", [12, 45, 6789]),
        (b"123,45,678\n", [123, 45, 678]),
        (b"12,45\n", [12, 45]),
        (",".join(map(str, range(100, 200))).encode(), list(range(100, 200))),
        (" ".join(map(str, range(100, 200))).encode(), list(range(100, 200))),
    ],
)
def test_an_honest_list_stays_a_list(
    listed: Callable[[bytes], str], text: bytes, uids: list[int]
) -> None:
    assert read(listed(text)) == uids


@pytest.mark.parametrize("block", [8, 16, 64])
def test_an_endless_line_is_cut_between_two_numbers_alone(
    listed: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr(encoding, "BLOCK", block)
    assert "thousands" in refusal(listed(b"1000000,2000000,12,345,678,3000000 12,345"))
    assert read(listed(b"PMID: 1 PMID: 12345678, PMID 3")) == [1, 12345678, 3]
