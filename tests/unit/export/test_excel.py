"""xlsx, read by openpyxl, and the limits of Excel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pyarrow as pa
import pytest
from support.finished_harvests import make_harvest, make_summaries, pubmed_harvest, true_links
from support.harness import LINKS

from harvester.api.export import export
from harvester.errors import BadInput
from harvester.export import excel

if TYPE_CHECKING:
    from pathlib import Path


def _links(*rows: tuple[int, int]) -> pa.Table:
    listed = [
        {"dbfrom": "pubmed", "from_uid": a, "dbto": "pmc", "linkname": "pubmed_pmc", "to_uid": b,
         "score": None, "rank": 0}
        for a, b in rows
    ]  # fmt: skip
    return pa.Table.from_pylist(listed, LINKS)


def test_openpyxl_reads_the_links(tmp_path: Path) -> None:
    to = tmp_path / "links.xlsx"
    export(pubmed_harvest(tmp_path / "out"), "xlsx", to)
    header, *rows = openpyxl.load_workbook(to)["links"].values
    assert list(header) == LINKS.names
    expected = [tuple(row.values()) for row in true_links().to_pylist()]
    assert sorted(rows, key=repr) == sorted(expected, key=repr)


def test_long_uids_are_text_and_formulas_are_inert(tmp_path: Path) -> None:
    large = 2**53 + 1
    out = make_harvest(tmp_path / "out", _links((1, large), (2, 2**53)), [1, 2])
    title = '=HYPERLINK("http://evil/")'
    make_summaries(out, "pubmed", {1: {"title": title}, 2: {"title": "\x1b[2Jplain"}}, "from")
    export(out, "xlsx", tmp_path / "links.xlsx", columns=["title"])
    sheet = openpyxl.load_workbook(tmp_path / "links.xlsx")["links"]
    assert [cell.value for cell in sheet["E"][1:]] == [str(large), 2**53]
    assert [cell.value for cell in sheet["H"][1:]] == [title, " [2Jplain"]
    assert {cell.data_type for cell in sheet["H"][1:]} == {"s"} or {
        cell.data_type for cell in sheet["H"][1:]
    } == {"inlineStr"}


def test_more_rows_than_excel_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel, "ROWS", 4)
    fits = make_harvest(tmp_path / "fits", _links((1, 1), (2, 1), (3, 1)), [1, 2, 3])
    export(fits, "xlsx", tmp_path / "fits.xlsx")
    more = make_harvest(tmp_path / "more", _links((1, 1), (2, 1), (3, 1), (4, 1)), [1, 2, 3, 4])
    for wide in (False, True):
        with pytest.raises(BadInput, match="Use --to csv"):
            export(more, "xlsx", tmp_path / "more.xlsx", wide=wide)
    assert not (tmp_path / "more.xlsx").exists()


def test_a_cell_longer_than_excel_holds_is_refused(tmp_path: Path) -> None:
    pairs = [(1, 10_000_000 + number) for number in range(4000)]
    out = make_harvest(tmp_path / "out", _links(*pairs), [1], commits=1)
    with pytest.raises(BadInput, match=r"column pubmed_pmc has 35,999 characters.*--to csv"):
        export(out, "xlsx", tmp_path / "wide.xlsx", wide=True)
    export(out, "csv", tmp_path / "wide.csv", wide=True)
    assert len((tmp_path / "wide.csv").read_text()) > 35_999
