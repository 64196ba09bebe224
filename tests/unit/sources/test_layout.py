"""Delimiter, header and column of a table are determined without a guess."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from harvester.errors import BadInput
from harvester.sources.files import read_uids

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.sources.rejected import Rejected

_GENE2PUBMED = "#tax_id\tGeneID\tPubMed_ID\n9606\t1\t2591067\n9606\t2\t3458201\n"


def _read(path: Path, text: str, column: str | None) -> list[int]:
    path.write_bytes(text.encode())
    return [uid for block in read_uids(str(path), column, "pubmed") for uid in block.tolist()]


def _refusal(path: Path, text: str, column: str | None) -> str:
    with pytest.raises(BadInput) as caught:
        _read(path, text, column)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(str(path))


@pytest.mark.parametrize("name", ["gene2pubmed", "a.txt", "a.tsv", "a.tab", "a.csv", "a.gz"])
@pytest.mark.parametrize("column", ["PubMed_ID", "3"])
def test_a_column_makes_a_table_of_a_file_of_any_name(
    tmp_path: Path, name: str, column: str
) -> None:
    assert _read(tmp_path / name, _GENE2PUBMED, column) == [2591067, 3458201]


def test_the_sign_before_the_first_name_is_no_part_of_it(tmp_path: Path) -> None:
    for column in ("tax_id", "#tax_id", " tax_id"):
        assert _read(tmp_path / "a", _GENE2PUBMED, column) == [9606, 9606]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("pmid;title\n12;a, b\n13;c\n", "pmid"),
        ("title;pmid\na;12\nb, c;13\n", "pmid"),
        ("pmid,title\n12,a; b\n13,c\n", "pmid"),
        ("pmid\ttitle, and more\n12\ta\n13\tb, c; d\n", "pmid"),
        ('"pmid";"title"\n"12";"a; ""b"""\n"13";"c,\nd"\n', "pmid"),
        ("sep=;\npmid;title\n12;a\n13;b\n", "pmid"),
        ("pmid\n12\n13\n", "pmid"),
        ("12\n13\n", "1"),
        ("pmid\n12\n13\n", "1"),
        ("12\tx\n13\ty\n", "1"),
        ("PubMed ID \t x\n12\tx\n13\ty\n", "PubMed  ID"),
        ("PubMed\u00a0ID,x\n12,x\n13,y\n", "PubMed ID"),
        ('"pmid"\t"title"\n"12"\t"a"\n"13"\t"b"\n', "pmid"),
        ("##gff\n# made today\n#pmid\ttitle\n12\ta\n13\tb\n", "pmid"),
        ("\n\npmid,title\n\n12,a\n\n13,b\n,\n\n", "pmid"),
        ("pmid,title,\n12,a,\n13,b,,\n", "pmid"),
        ("2019\tNA\n12\t12\n13\t13\n", "2"),
    ],
)
def test_delimiter_and_header_are_told(tmp_path: Path, text: str, column: str) -> None:
    assert _read(tmp_path / "a", text, column) == [12, 13]


def test_a_table_without_a_header_keeps_its_first_uid(tmp_path: Path) -> None:
    for name in ("a.csv", "a.tsv", "a.csv.gz"):
        assert _read(tmp_path / name, "12\n13\n", None) == [12, 13]
        assert _read(tmp_path / name, "PMID:12\n13\n", None) == [12, 13]
    assert _read(tmp_path / "a.csv", "PMID12\nPMID13\n", None) == [12, 13]
    assert _read(tmp_path / "a.csv", "pmid1,pmid2\n12,0\n13,0\n", "pmid1") == [12, 13]
    assert _read(tmp_path / "a.csv", "12,x\n13,y\n", "1") == [12, 13]
    said = _refusal(tmp_path / "a.csv", "12,x\n13,y\n", "pmid")
    assert said.startswith(" has no column called 'pmid' (if the first line is data, give the numb")


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("PMC12\n13\n", None, ", line 1: 'PMC12' is not a UID"),
        ("12,345,678\n", None, " has 3 columns"),
        ("12,345,678\n13,345,678\n", "1", ", line 1: 12,345,678 may be one number"),
        ("0,1,2\n5,6,7\n", "1", ", line 1: 0, 1, 2 may be numbers of columns"),
        ("id;name, x\n1;a, b\n", "1", ": the cells can be separated by semicolons or commas."),
        ("#1,x\n2,y\n", "1", ""),
        ("pmid title\n12 a\n", "pmid", " has no column called 'pmid' (columns are separated by"),
        ("pmid|title\n12|a\n", "pmid", " has no column called 'pmid' (columns are separated by"),
        ("pmid1,pmid2\n12,13\n", "1", ", line 1: 'pmid1' may be the name of the column"),
        ("title,PMID2\nx,13\n", "2", ", line 1: 'PMID2' may be the name of the column"),
        ("pmid,title\n12,a\n", "3", " has 2 columns, so there is no column 3."),
        ("pmid,pmid\n12,13\n", "pmid", " has more than one column called 'pmid'"),
        ("pmid,title\n12\n", "pmid", ", line 2: the row has 1 of the 2 cells of the first row."),
        ("pmid,title\n12,a,b\n", "pmid", ", line 2: the row has 3 cells, the first row 2."),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, text: str, column: str | None, said: str
) -> None:
    assert _refusal(tmp_path / "a.csv", text, column).startswith(said)


def test_a_list_that_is_a_table_of_numbers_is_refused(tmp_path: Path) -> None:
    said = _refusal(tmp_path / "gene2pubmed", _GENE2PUBMED, None)
    assert said == (
        " looks like a table with the columns #tax_id, GeneID, PubMed_ID: choose one with "
        "--ids-column, or remove the line that names them."
    )
    said = _refusal(tmp_path / "a.txt", _GENE2PUBMED.replace("\t", ", "), None)
    assert said.startswith(" looks like a table with the columns #tax_id, GeneID, PubMed_ID: choo")
    assert _read(tmp_path / "a", "# 9606\n12\t13\n", None) == [12, 13]
    assert _read(tmp_path / "a", "# two UIDs, by hand\n12, 13\n", None) == [12, 13]


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("9606\t2591067\n9606\t3458201\n", True),
        ("9606\t2591067\n", False),
        ("9606\t2591067\n3458201\n", False),
        ("9606 2591067\n9606, 3458201\n", False),
        ("9606 2591067\n9606 3458201\n", True),
        ("9606,2591067\n9606, 3458201 # last\n", True),
        ("9606,2591067,\n9606,3458201,\n", False),
        ("9606, 259\n9606, 345\n", True),
        ("PMID: 2591067\nPMID: 3458201\n", False),
    ],
)
def test_a_list_that_may_be_a_table_gets_a_warning(tmp_path: Path, text: str, warned: bool) -> None:
    path, warnings = tmp_path / "a.txt", list[str]()
    path.write_text(text)
    blocks = list(read_uids(str(path), None, "pubmed", warn=warnings.append))
    assert sum(map(len, blocks)) == len(re.findall("[0-9]+", text))
    assert bool(warnings) == warned
    if warned:
        assert warnings[0].startswith(f"{path} may be a table: each line has 2 columns")


def test_a_first_row_with_a_quoted_sign_and_delimiter_is_not_skipped_as_a_comment(
    tmp_path: Path,
) -> None:
    said = _refusal(tmp_path / "a.csv", '"#; x";12\n;13\n', "2")
    assert "the line may be a comment or a row" in said
    assert _read(tmp_path / "b.csv", '# a; "note\ntitle;12\nother;13\n', "2") == [12, 13]


# --- quotation marks --------------------------------------------------------------------------


def _rows(marks: dict[int, str], between: str) -> str:
    rows = (f"{uid}{between}{marks.get(uid, 'title')}\n" for uid in range(1001, 2001))
    return f"pmid{between}title\n" + "".join(rows)


@pytest.mark.parametrize(
    "marks",
    [
        {1100: '"A survey of omics'},
        {1100: '"A survey of omics', 1900: 'The "x" of y'},
        dict.fromkeys(range(1100, 1104), '"opens'),
        {1100: '"Candidatus" X', 1200: '5" gel', 1300: '"whole"', 1999: '"'},
    ],
)
def test_in_tsv_a_quotation_mark_is_a_character(tmp_path: Path, marks: dict[int, str]) -> None:
    assert _read(tmp_path / "a.tsv", _rows(marks, "\t"), "pmid") == list(range(1001, 2001))


@pytest.mark.parametrize(
    ("marks", "line"),
    [
        ({1100: '"A survey of omics'}, 101),
        ({2000: '"cut in the middle of a ti'}, 1001),
        ({1100: '"A survey of omics', 1900: 'The "x" of y'}, 101),
        (dict.fromkeys(range(1100, 1104), '"opens'), 101),
    ],
)
@pytest.mark.parametrize("block", [64, 1 << 22])
def test_in_csv_a_quotation_mark_that_is_not_closed_is_named_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, marks: dict[int, str], line: int, block: int
) -> None:
    monkeypatch.setattr("harvester.sources.encoding.BLOCK", block)
    for between in ",;":
        said = _refusal(tmp_path / "a.csv", _rows(marks, between), "pmid")
        assert said.startswith(f", line {line}: a quotation mark opens a cell there")


def test_in_csv_a_mark_within_a_cell_is_a_character(tmp_path: Path) -> None:
    marks = {1100: '5" gel', 1200: '"a ""b"" c"', 1300: '"a\nb"', 1400: 'x ""'}
    assert _read(tmp_path / "a.csv", _rows(marks, ","), "pmid") == list(range(1001, 2001))


# --- what is wrong ----------------------------------------------------------------------------


def test_the_first_ten_wrong_cells_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    text = "pmid,title\n" + "".join(f"{'x' * (n % 2)}{n},t\n" for n in range(2, 43))
    said = _refusal(tmp_path / "a.csv", text, "pmid")
    assert said.startswith(", line 3: 'x3' is not a UID; UIDs of pubmed are positive whole numbers")
    listed = ", ".join(f"line {n} 'x{n}'" for n in range(3, 22, 2))
    assert f" In all, 20 entries are wrong: {listed}, …. " in said


def test_wrong_entries_are_given_to_whoever_leaves_them_out(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("pmid,title\n12,a\nx,b\n13\n1 234,c\nNA,d\n14,e\n")
    rejected: list[Rejected] = []
    blocks = list(read_uids(str(path), "pmid", "pubmed", rejected.append))
    assert [uid for block in blocks for uid in block.tolist()] == [12, 14]
    assert [(one.line, one.text) for one in rejected] == [(3, "x"), (4, "13"), (5, "1 234")]
    assert all(one.file == str(path) and one.why.endswith(".") for one in rejected)


def test_cells_that_say_that_there_is_none_are_left_out_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("pmid,title\n12,a\nNA,b\n-,c\n,d\nNone,e\nNA,f\n")
    warnings: list[str] = []
    blocks = list(read_uids(str(path), "pmid", "pubmed", warn=warnings.append))
    assert [uid for block in blocks for uid in block.tolist()] == [12]
    assert warnings == [f"{path}: 4 rows are left out that have no UID ('NA', '-', 'None')."]
