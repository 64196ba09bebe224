"""The displays of a run: which one a stream gets, and what it draws."""

from __future__ import annotations

import doctest
import io
import re
import sys
import time
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from harvester import events
from harvester.api.display import live
from harvester.api.display.lines import PlainLines, make_display
from harvester.api.display.live import LiveDisplay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_examples() -> None:
    assert doctest.testmod(live).failed == 0


@pytest.mark.parametrize(("term", "plain"), [("dumb", True), ("xterm", False), ("", False)])
def test_only_a_terminal_with_a_cursor_gets_the_live_display(
    monkeypatch: pytest.MonkeyPatch, term: str, plain: bool
) -> None:
    monkeypatch.setenv("TERM", term)
    with make_display(_Terminal(), quiet=False, verbose=False, as_json=False) as listener:
        assert isinstance(listener, PlainLines) == plain


def drawn(*told: events.Event, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width)
    display = LiveDisplay(console, verbose=False)
    for event in told:
        display(event)
    with console.capture() as captured:
        console.print(display)
    return captured.get()


def test_reading_is_shown_as_a_bar() -> None:
    screen = drawn(events.ReadProgress(1_200, 4_800, "file"))
    assert screen.rstrip().endswith("1,200 of 4,800 files read (25 %)")
    assert "links" not in screen


def test_nothing_is_drawn_before_a_run_begins() -> None:
    assert drawn(events.Warned("a"), events.RunEnded("complete")).strip() == ""


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_no_row_is_wider_than_the_terminal(width: int) -> None:
    started = events.RunStarted(38_000_000, 7_000_000, {"linked": 7_000_000}, 10**9, 10.0, "x:1")
    for told in ([started], [started, events.RunEnded("complete")]):
        assert max(map(len, drawn(*told, width=width).splitlines())) <= min(width, 100)


def test_no_drawing_is_left_behind_by_two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each redraw moves up by the rows of the last drawing, whichever thread printed before."""
    stream = _Terminal()
    monkeypatch.setattr(live, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    rows_of = LiveDisplay._rows

    def slow_rows(display: LiveDisplay, width: int) -> Iterator[RenderableType]:
        time.sleep(0.001)  # the other thread goes on
        return rows_of(display, width)

    monkeypatch.setattr(LiveDisplay, "_rows", slow_rows)
    with live.live_display(verbose=False) as listener:
        for number in range(50):  # the display has a row more after every second event
            listener(events.RunStarted(100, 0, {}, 0, 3.0, "x"))
            listener(events.RunEnded("complete"))
            listener(events.Warned(f"warning {number}"))
    _, *drawings = stream.getvalue().split("\r\x1b[2K")
    assert len(drawings) > 50
    rows = 0
    for drawing in drawings:
        up = drawing.count("\x1b[1A\x1b[2K")
        assert up == max(rows - 1, 0)
        frame = drawing.rpartition(" %  0 of 100 UIDs")[2] if "of 100 UIDs" in drawing else ""
        rows = 1 + frame.count("\n") if frame else 0
    assert [int(one) for one in re.findall(r"warning (\d+)", stream.getvalue())] == list(range(50))
