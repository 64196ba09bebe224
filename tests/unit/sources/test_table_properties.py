"""Tables of any form: every UID is read, or the file is refused with a line number.

The truth is what the generator wrote into the tables.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.uid_lists import COMPRESSIONS

from harvester.errors import BadInput
from harvester.sources import delimited, encoding
from harvester.sources.files import read_uids

if TYPE_CHECKING:
    from pathlib import Path

_CALLED = {"\t": "tab", ",": "comma", ";": "semicolon"}

# --- cells ------------------------------------------------------------------------------------

_UIDS = st.one_of(st.integers(1, 2000), st.integers(1, 60_000_000), st.integers(1, 2**63 - 1))

_GOOD = ["{}", "{}.0", " {} ", "PMID:{}", "PMID: {}", "pmid{}", "00{}", "\u00a0{}\u00a0", "{}.00"]
"""Notations with one meaning."""

_MISSING = ["", " ", "NA", "N/A", "NaN", "None", "NULL", "-", "null"]
"""Cells that say that there is no UID."""

_BAD = [
    "12,345,678", "1.234.567", "1'234", "1 234", "1\u202f234", "1\u00a0234", "1\u2019234", "12.000",
    "1e+05", "1.23E+07", "1.5", "-4", "0", "#REF!", "PMC12", "NM_000546.6", "10.1000/xyz", "x",
    "12345, 67890", "12345;67890", "12345 67890", "\u0661\u0662", "1,0",
]  # fmt: skip
"""Cells that are no UID, or may be several."""

_LETTERS = "abcxyzÄéß '#;,\"-:\u00a0|"
_TITLES = st.text(st.sampled_from(_LETTERS), max_size=12)
_LINES = st.text(st.sampled_from(_LETTERS + "\n\t"), max_size=12)


@dataclass(frozen=True)
class Cell:
    """A cell of the column, and its UID; 0 for a cell without one."""

    text: str
    uid: int | None


def _cells(*, bad: bool) -> st.SearchStrategy[Cell]:
    good = st.builds(lambda form, uid: Cell(form.format(uid), uid), st.sampled_from(_GOOD), _UIDS)
    missing = st.sampled_from(_MISSING).map(lambda text: Cell(text, 0))
    wrong = st.sampled_from(_BAD).map(lambda text: Cell(text, None))
    return st.one_of(good, good, missing, *([wrong] if bad else []))


def _one_meaning(cell: Cell) -> bool:
    """Return whether a number has one meaning: `12.00` is twelve; `12.000` is never generated."""
    return not re.fullmatch(r"[1-9][0-9]{0,2}(\.[0-9]{3})+", cell.text)


@dataclass(frozen=True)
class Table:
    """A generated table.

    Attributes:
        cells: those of the column.
        titles: beside them.
        delimiter: between cells.
        head: name of the column in the first line; None without a header.
        quoting: of the csv module; with tabs nothing is quoted.
        first: whether the column comes first.
    """

    cells: list[Cell]
    titles: list[str]
    delimiter: str
    head: str | None
    quoting: Any
    first: bool
    end: str

    def text(self) -> str:
        rows = [[cell.text, title] for cell, title in zip(self.cells, self.titles, strict=True)]
        if self.head is not None:
            rows = [[self.head, "the title"], *rows]
        if not self.first:
            rows = [[title, cell] for cell, title in rows]
        if self.delimiter == "\t":
            return "".join("\t".join(row) + self.end for row in rows)
        out = io.StringIO()
        csv.writer(
            out, delimiter=self.delimiter, quoting=self.quoting, lineterminator=self.end
        ).writerows(rows)
        return out.getvalue()

    @property
    def column(self) -> str:
        if self.head is None:
            return "1" if self.first else "2"
        return " ".join(self.head.replace("\u00a0", " ").removeprefix("#").split())

    @property
    def comments(self) -> int:
        """Rows above all others that begin with `#` and so are comments, as far as can be seen."""
        if self.head is not None or not self.text().startswith("#"):
            return 0
        return sum(1 for _ in takewhile(lambda title: title.startswith("#"), self.titles))

    @property
    def uids(self) -> list[int]:
        return [cell.uid for cell in self.cells if cell.uid]


@st.composite
def _tables(draw: st.DrawFn, *, bad: bool) -> Table:
    cells = draw(st.lists(_cells(bad=bad).filter(_one_meaning), max_size=12))
    delimiter = draw(st.sampled_from(list(_CALLED)))
    titles = _TITLES if delimiter == "\t" else _LINES
    return Table(
        cells=cells,
        titles=draw(st.lists(titles, min_size=len(cells), max_size=len(cells))),
        delimiter=delimiter,
        head=draw(
            st.sampled_from(["pmid", "#pmid", " PubMed ID ", "PubMed\u00a0ID", "pmid2", None])
        ),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        first=draw(st.booleans()),
        end=draw(st.sampled_from(["\n", "\r\n"])),
    )


@dataclass(frozen=True)
class Got:
    """The result of reading a file."""

    uids: list[int]
    said: str
    warnings: list[str]


def _read(path: Path, data: bytes, column: str | None) -> Got:
    path.write_bytes(data)
    warnings: list[str] = []
    try:
        blocks = list(read_uids(str(path), column, "pubmed", warn=warnings.append))
    except BadInput as error:
        said = str(error)
        assert "\n" not in said
        assert said.isprintable()
        assert said.startswith(str(path))
        return Got([], said, warnings)
    return Got([uid for block in blocks for uid in block.tolist()], "", warnings)


@pytest.fixture(params=[0, 1 << 30], ids=["in bulk", "row by row"])
def either_reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read tables by both implementations: for large and for short ones."""
    monkeypatch.setattr(delimited, "_SHORT", request.param)


_SETTINGS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
_NAMES = st.sampled_from(["table", "table.txt", "gene2pubmed.gz", "table.csv"])
_CODINGS = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])


@pytest.mark.usefixtures("either_reader")
@_SETTINGS
@given(
    table=_tables(bad=False),
    name=_NAMES,
    coding=_CODINGS,
    packing=st.sampled_from(list(COMPRESSIONS)),
    block=st.sampled_from([7, 64, 1 << 20]),
)
def test_every_uid_of_a_sound_table_is_read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    table: Table,
    name: str,
    coding: str,
    packing: str,
    block: int,
) -> None:
    monkeypatch.setattr(encoding, "BLOCK", block)
    data = COMPRESSIONS[packing](table.text().encode(coding, "replace"))
    got = _read(tmp_path / name, data, table.column)
    if got.said:  # nothing but what can be read in two ways is refused
        assert _may_be_refused(table, got.said)
    else:
        assert got.uids == table.uids
        missing = [cell.text.strip() for cell in table.cells if cell.uid == 0]
        assert bool(got.warnings) == any(missing)


def _may_be_refused(table: Table, said: str) -> bool:
    """Return whether a table without a header, or without rows, can be read in two ways."""
    if table.head is not None:
        return False
    return (
        not any(
            cell.text.strip() or title.strip()
            for cell, title in zip(table.cells, table.titles, strict=True)
        )
        or table.titles[0].startswith("#")  # a comment, as far as can be seen
        or "can be separated by" in said
        or "may be a comment or a row" in said
        or "may be numbers of columns" in said
        or "may be the name of the column" in said
        or "columns, so there is no column" in said  # the first title is empty
    )


@pytest.mark.usefixtures("either_reader")
@_SETTINGS
@given(table=_tables(bad=True), name=_NAMES, coding=_CODINGS, data=st.data())
def test_any_table_is_read_whole_or_refused_with_a_line(
    tmp_path: Path, table: Table, name: str, coding: str, data: st.DataObject
) -> None:
    """With wrong cells, or quotation marks inserted or removed anywhere."""
    text = table.text()
    if data.draw(st.booleans()) and table.delimiter != "\t":
        marks = [at for at, char in enumerate(text) if char == '"']
        at = data.draw(st.sampled_from(marks) if marks else st.just(0))
        text = text[:at] + text[at + 1 :] if marks else f'"{text}'
    got = _read(tmp_path / name, text.encode(coding, "replace"), table.column)
    wrong = [cell for cell in table.cells[table.comments :] if cell.uid is None]
    if not got.said:
        assert not wrong or (table.head is None and wrong[0].text == "x" and not wrong[1:])
        if text == table.text():
            assert got.uids == table.uids
    elif text == table.text() and wrong and not _may_be_refused(table, got.said):
        lines = [int(line) for line in re.findall(r"line ([0-9]+)", got.said)]
        assert lines
        assert max(lines) <= text.count("\n")


@pytest.mark.parametrize("text", ["12,345,678\tx\n", "12,345,678\n", "12,345\n67,890\n"])
def test_a_number_in_groups_is_no_row_of_a_table(tmp_path: Path, text: str) -> None:
    """The comma must not be taken for a delimiter, and 12 for the UID."""
    for name in ("table", "table.csv"):
        got = _read(tmp_path / name, text.encode(), "1")
        assert got.uids == []
        assert got.said
