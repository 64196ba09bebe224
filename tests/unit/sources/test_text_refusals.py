"""One sentence for everything that can be wrong with a list of UIDs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.uid_lists import read, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("either_way")


_NUMBERS = "UIDs of pubmed are positive whole numbers"
_ACCESSION = (
    f"{_NUMBERS}; this is an accession: ask with --dbfrom nuccore or protein, and --idtype acc"
)
_OF_PMC = "this is a UID of pmc, for --dbfrom pmc"
_HEADER = " If line 1 names the columns of a table, choose one by name with --ids-column."
_ONE = f"{_NUMBERS}; give one UID per line or cell."
_FORMULA = f"{_NUMBERS}; the spreadsheet has a formula without a value there."
_NO_TEXT = (
    " is not a text file, or UTF-16 without a byte order mark: give one UID per line, saved as "
    "UTF-8 text."
)
_RANGE = f"is not a UID; UIDs run from 1 to {2**63 - 1}."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"1\n2\nabc\n", f", line 3: 'abc' is not a UID; {_NUMBERS}."),
        (b"1\r\n2\r\nabc\r\n", f", line 3: 'abc' is not a UID; {_NUMBERS}."),
        (b"1,2,x,3\n", f", line 1: 'x' is not a UID; {_NUMBERS}.{_HEADER}"),
        (b"1\n\n\n-5\n", f", line 4: '-5' is not a UID; {_NUMBERS}."),
        (b"+5\n", f", line 1: '+5' is not a UID; {_NUMBERS}."),
        (b"1.5\n", f", line 1: '1.5' is not a UID; {_NUMBERS}."),
        (
            b"1e5\n",
            ", line 1: '1e5' is not a UID; a spreadsheet may have dropped digits: format the "
            "column as a number without decimals, or as text, and export it again.",
        ),
        (b"0x1F\n", f", line 1: '0x1F' is not a UID; {_NUMBERS}."),
        (
            b"1_000\n",
            ", line 1: '1_000' is not a UID; write 1000 for a number with thousands separators.",
        ),
        (b"1;2\n", f", line 1: '1;2' is not a UID; {_ONE}"),
        (b'"1"\n', f", line 1: '\"1\"' is not a UID; {_NUMBERS}."),
        (b"uid\n1\n", f", line 1: 'uid' is not a UID; {_NUMBERS}.{_HEADER}"),
        (b"nan\n", f", line 1: 'nan' is not a UID; {_NUMBERS}.{_HEADER}"),
        (b"NULL\n", f", line 1: 'NULL' is not a UID; {_NUMBERS}.{_HEADER}"),
        (b"\xd9\xa1\n", f", line 1: '\u0661' is not a UID; {_NUMBERS}."),
        (b"1\xc2\xa02\n", f", line 1: '1[U+00A0 no-break space]2' is not a UID; {_NUMBERS}."),
        (b"caf\xe9\n", f", line 1: 'café' is not a UID; {_NUMBERS}.{_HEADER}"),
        (b"1\n#REF!\n3\n", f", line 2: '#REF!' is not a UID; {_FORMULA}"),
        (b"1\n2,#N/A,3\n", f", line 2: '#N/A' is not a UID; {_FORMULA}"),
        (b"1\x1a\n", f", line 1: '1[U+001A control character]' is not a UID; {_NUMBERS}."),
        (b"\x1bred9\n", f", line 1: '[U+001B control character]red9' is not a UID; {_NUMBERS}."),
        (b"x" * 41 + b"\n", f", line 1: '{'x' * 40}…' is not a UID; {_NUMBERS}.{_HEADER}"),
        (b"x" * 40 + b"\n", f", line 1: '{'x' * 40}' is not a UID; {_NUMBERS}.{_HEADER}"),
        (b"PMID\n", f", line 1: 'PMID' is not a UID; {_NUMBERS}.{_HEADER}"),
        (b"PMID:x\n", f", line 1: 'PMID:x' is not a UID; {_NUMBERS}.{_HEADER}"),
        (b"PMID:PMID:1\n", f", line 1: 'PMID:PMID:1' is not a UID; {_NUMBERS}."),
        (b"PMC12\n", f", line 1: 'PMC12' is not a UID; {_NUMBERS}; {_OF_PMC}."),
        (b"PMCID:PMC12\n", f", line 1: 'PMCID:PMC12' is not a UID; {_NUMBERS}; {_OF_PMC}."),
        (b"NM_000546.6\n", f", line 1: 'NM_000546.6' is not a UID; {_ACCESSION}."),
        (b"0\n", f", line 1: '0' {_RANGE}"),
        (b"1\n2\n00\n", f", line 3: '00' {_RANGE}"),
        (b"PMID:0\n", f", line 1: '0' {_RANGE}"),
        (b"9223372036854775808\n", f", line 1: '9223372036854775808' {_RANGE}"),
        (b"1\n18446744073709551617\n", f", line 2: '18446744073709551617' {_RANGE}"),
        (b"1" * 50 + b"\n", f", line 1: '{'1' * 40}…' {_RANGE}"),
        (b"1\n\0\n", _NO_TEXT),
        ("1\n2\n".encode("utf-16-le"), _NO_TEXT),
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


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("\nPMID- 34248085\nOWN - NLM\nDP  - 2021 Jul 12\n", "a MEDLINE export (.nbib)"),
        ("TY  - JOUR\nPY  - 2021\nER  - \n", "an RIS export"),
        ("@article{pmid34248085,\n  year = 2021\n}\n", "BibTeX"),
        ("%0 Journal Article\n%D 2021\n", "an EndNote export"),
    ],
)
def test_an_export_of_citations_is_refused_as_a_whole(
    listed: Callable[[bytes], str], text: str, kind: str
) -> None:
    """Also where wrong words are to be left out: its years and pages would be read as UIDs."""
    path = listed(text.encode())
    refused = f"{path} is {kind}, not text: in PubMed, save the articles in the format PMID"
    assert refusal(path).startswith(refused)


def test_a_version_of_an_article_of_pmc_is_no_sequence(listed: Callable[[bytes], str]) -> None:
    assert "give its PMC id without the version" in refusal(listed(b"PMC55555.2\n"), "pmc")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = str(tmp_path / "none.txt")
    assert refusal(path) == f"The UID list {path} cannot be read: No such file or directory."


def test_standard_input_that_is_closed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert refusal("-") == "The UID list standard input cannot be read: it is closed."


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


def test_only_the_errors_of_spreadsheets_begin_no_comment(listed: Callable[[bytes], str]) -> None:
    assert read(listed(b"1 #REF\n2 # N/A\n3 #N/A-like\n#REF!x\n4#\n")) == [1, 2, 3, 4]
