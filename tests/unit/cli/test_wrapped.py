"""Lines with a label fit the terminal, and lose no word."""

from __future__ import annotations

import sys
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.finished_harvests import pubmed_harvest

from harvester.cli.commands import status as command
from harvester.cli.wrapped import wrapped

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_what_follows_the_label_stands_below_it(
    monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = "the address is https://www.example.org/a-long-name, and more follows here " * 3
    first, *others = wrapped("label     ", text)
    assert max(map(len, (first, *others))) <= min(columns, 120)
    assert first.startswith("label     the address")
    assert all(line[:10].isspace() and not line[10].isspace() for line in others)
    assert " ".join((first, *others)).split() == ["label", *text.split()]


class _Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_status_is_wrapped_on_a_terminal_and_whole_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    out = str(pubmed_harvest(tmp_path / "out", failed=[30_000_003]))
    piped = CliRunner().invoke(command.status, [out]).output
    assert any(len(line) > 60 for line in piped.splitlines())
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    command.status.main([out], standalone_mode=False)
    shown = terminal.getvalue()
    assert max(map(len, shown.splitlines())) <= 60
    assert shown.split() == piped.split()
