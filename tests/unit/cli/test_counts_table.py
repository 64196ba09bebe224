"""Counts per linkname, as wide as a pipe lets them be and as narrow as a terminal is."""

from __future__ import annotations

import sys

import pytest

from harvester.cli.counts_table import counts_table

HEADS = ("links lost", "links gained", "UIDs lost", "UIDs gained")
ROWS = [
    ("pubmed_pubmed_reviews_five", (1, 23456, 0, 1000)),
    ("pubmed_pmc", (0, 0, 0, 7)),
    ("all links", (1, 23456, 0, 1007)),
]


class _Output:
    def __init__(self, is_terminal: bool) -> None:
        self.isatty = lambda: is_terminal


@pytest.mark.parametrize("columns", [60, 80, 120, None])
def test_lines_fit_and_say_the_same(monkeypatch: pytest.MonkeyPatch, columns: int | None) -> None:
    monkeypatch.setattr(sys, "stdout", _Output(columns is not None))
    monkeypatch.setenv("COLUMNS", str(columns or 40))
    lines = counts_table(HEADS, ROWS)
    assert len({len(line) for line in lines}) == 1
    assert columns is None or len(lines[0]) <= columns
    heads, rows = lines[: -len(ROWS)], lines[-len(ROWS) :]
    assert sorted(" ".join(heads).split()) == sorted(" ".join(HEADS).split())
    assert [line[:26].strip() for line in rows] == [name for name, _ in ROWS]
    assert [line[26:].split() for line in rows] == [[f"{n:,}" for n in row] for _, row in ROWS]


def test_names_of_others_stay_on_their_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", _Output(False))
    _, line = counts_table(("added",), [("a\nb\x1b[2J", (1,))])
    assert line.isprintable()
