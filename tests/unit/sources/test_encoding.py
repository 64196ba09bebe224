"""Encodings of text, and files that are not text."""

from __future__ import annotations

import codecs
import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import pytest
from support.uid_lists import read, refusal

from harvester.errors import BadInput
from harvester.sources.encoding import decode
from harvester.sources.files import read_uids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TEXT = "# über 1\n12\n13, 14\n"


@pytest.mark.parametrize(
    "data",
    [
        _TEXT.encode(),
        codecs.BOM_UTF8 + _TEXT.encode(),
        codecs.BOM_UTF16_LE + _TEXT.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + _TEXT.encode("utf-16-be"),
        _TEXT.encode("utf-32"),
        codecs.BOM_UTF32_BE + _TEXT.encode("utf-32-be"),
        _TEXT.encode("latin-1"),
        gzip.compress(_TEXT.encode("utf-16"), mtime=0),
        b"12\n" + codecs.BOM_UTF8 + b"13\n14",  # two files, one after the other
        "12\u00a0\n\u00a013\n\u3000\n14\u202f\n".encode(),
        b"12\xa0\n13\n14\n",  # a no-break space of Latin-1
    ],
)  # fmt: skip
def test_every_encoding_of_a_list_is_read(listed: Callable[[bytes], str], data: bytes) -> None:
    assert read(listed(data)) == [12, 13, 14]


@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_every_encoding_of_a_table_is_read(tmp_path: Path, coding: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes('Größe,"PMID "\ngroß,12\n"é, ""x""",13\n'.encode(coding))
    assert [uid for block in read_uids(str(path), "PMID", "pubmed") for uid in block] == [12, 13]


@pytest.mark.parametrize("size", range(1, 9))
def test_utf_16_is_read_in_blocks(
    listed: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr("harvester.sources.encoding.BLOCK", size)
    assert read(listed(_TEXT.encode("utf-16"))) == [12, 13, 14]


def test_a_page_in_utf_16_is_named(listed: Callable[[bytes], str]) -> None:
    page = listed('<?xml version="1.0"?><Id>1</Id>'.encode("utf-16"))
    assert refusal(page).startswith(f"{page} is an HTML or XML page, not text")


def test_utf_16_that_is_cut_is_refused(listed: Callable[[bytes], str]) -> None:
    assert "begins like UTF-16-LE text and is not" in refusal(
        listed(codecs.BOM_UTF16_LE + b"1\0" + b"2")
    )


def _zip(name: str, content: str = "", compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr(name, content)
        archive.writestr("more", "1\n2\n")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (_zip("[Content_Types].xml"), "is an Excel workbook or other Office file (.xlsx)"),
        (_zip("xl/workbook.xml"), "is an Excel workbook or other Office file (.xlsx)"),
        (
            _zip("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED),
            "is an OpenDocument file (.ods)",
        ),
        (_zip("pmids.csv"), "is a zip archive or a workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "is an Excel file (.xls)"),
        (b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", "is a PDF document"),
        (b"\n <!DOCTYPE html>\n<p>12", "is an HTML or XML page"),
        (b"<?xml version='1.0'?>", "is an HTML or XML page"),
        (b"<PubmedArticleSet>", "is an HTML or XML page"),
        (b'{"pmid": 12}\n', "is JSON"),
        (b'["12", "13"]', "is JSON"),
        (b"[12, 13]", "is JSON"),
        (rb"{\rtf1\ansi 12", "is an RTF document"),
        (b"SQLite format 3\0\x10", "is an SQLite database"),
        (gzip.compress(gzip.compress(b"12\n", mtime=0), mtime=0), "is compressed"),
        (b"7z\xbc\xaf'\x1c12", "is compressed"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_the_remedy(
    listed: Callable[[bytes], str], data: bytes, said: str
) -> None:
    name = listed(data)
    for column in (None, "pmid", "1"):
        with pytest.raises(BadInput) as caught:
            list(read_uids(name, column, "pubmed"))
        sentence = str(caught.value)
        assert sentence.startswith(f"{name} {said}")
        assert sentence.endswith(".")
        assert any(word in sentence for word in ("save the sheet", "export", "unpack", "decomp"))


def test_a_word_is_decoded_by_the_encoding_that_fits() -> None:
    assert decode("né".encode()) == decode(b"n\xe9") == "né"
    assert decode(b"12\x80") == "12€"
    assert decode(b"\x81") == "\x81"
