"""Receivers of a run's events: listeners, a display, or the log."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from harvester import events
from harvester.api.display.notebook import NotebookDisplay, in_notebook
from harvester.api.progress import listening

STARTED = events.RunStarted(1000, 100, {"linked": 100}, 77, 10.0, "localhost")
UNTIL = datetime(2026, 7, 9, 1, tzinfo=UTC)


class Cell:
    """Stands for IPython: an output of a cell, and what it showed."""

    def __init__(self) -> None:
        self.shown: list[dict[str, str]] = []
        self.outputs = 0

    def display(self, shown: Any, *, display_id: bool) -> Cell:
        assert display_id
        self.outputs += 1
        self.update(shown)
        return self

    def update(self, shown: Any) -> None:
        self.shown.append({"text": repr(shown), "html": shown._repr_html_()})


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Cell:
    """Make this process look like a kernel."""
    cell = Cell()
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(display=cell.display))
    return cell


def test_without_listeners_the_log_hears(caplog: pytest.LogCaptureFixture) -> None:
    with listening([], progress=False) as told, caplog.at_level(logging.INFO, "harvester"):
        for listener in told:
            listener(events.Waiting("hours", UNTIL))
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("harvester", "WARNING")
    assert record.getMessage().startswith("Waiting for NCBI's off-peak hours until ")
    assert record.getMessage().endswith('Set limits.window to "always" to start now.')


def test_listeners_are_told_in_place_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[events.Event] = []
    with listening([heard.append], progress=False) as told:
        for listener in told:
            listener(STARTED)
    assert heard == [STARTED]
    assert not caplog.records


def test_progress_writes_lines_where_there_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    heard: list[events.Event] = []
    with listening([heard.append], progress=True) as told:
        for listener in told:
            listener(STARTED)
    assert heard == [STARTED]
    assert "900 UIDs to request from localhost (100 are done)" in capsys.readouterr().err


def test_a_plain_interpreter_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not in_notebook()
    terminal = SimpleNamespace(get_ipython=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "IPython", terminal)
    assert not in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert not in_notebook()


def test_a_notebook_shows_one_output_that_is_replaced(cell: Cell) -> None:
    with listening([], progress=True) as told:
        (display,) = told
        assert isinstance(display, NotebookDisplay)
        display(STARTED)
        for _ in range(500):
            display(events.UidsSettled({"linked": 1}, links=2))
        display(events.Waiting("outage", UNTIL, "HTTP 503 <script>", 5.0))
        waiting = cell.shown[-1]
        display(events.Resumed())
        display(events.RunEnded("complete", {"linked": 600}, 1077))
    assert cell.outputs == 1
    assert len(cell.shown) < 100
    assert "The server is not answering (HTTP 503 <script>)" in waiting["text"]
    assert "<script>" not in waiting["html"]
    last = cell.shown[-1]
    assert "600 of 1,000 UIDs (60.0 %), 1,077 links" in last["text"]
    assert last["text"].endswith("\ncomplete")
    assert 'max="1000" value="600"' in last["html"]
    assert "not answering" not in last["text"]


def test_a_notebook_shows_the_last_warnings_only(cell: Cell) -> None:
    display = NotebookDisplay()
    for number in range(1000):
        display(events.Warned(f"warning {number};"))
    assert "warning 999;" in cell.shown[-1]["text"]
    assert cell.shown[-1]["text"].count("warning") == 5


def test_progress_elsewhere_than_on_a_terminal_says_how_the_run_ended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with listening([], progress=True) as told:
        for event in (STARTED, events.UidsSettled({"linked": 900}), events.RunEnded("complete")):
            for listener in told:
                listener(event)
    begin, end = capsys.readouterr().err.splitlines()
    assert "900 UIDs to request from localhost" in begin
    assert " complete: 1,000 of 1,000 UIDs (100.0 %), 77 links" in end
