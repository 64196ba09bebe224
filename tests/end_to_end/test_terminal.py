"""The display in terminals of each size and kind, and after a resize."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from support.harness import write_uids
from support.terminal import has, terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.servers import Servers
    from support.terminal import Terminal

pytestmark = pytest.mark.skipif(not has("tmux"), reason="tmux is not installed")

ROWS = ("links ", "outcomes ", "pace ", "speed ", "time ")
BAR = re.compile(r"[━╸╺]{5,}.* \d+\.\d %  [\d,]+ of 2,000 UIDs")


@contextmanager
def running(
    servers: Servers, folder: Path, columns: int, term: str = "screen-256color", **env: str
) -> Iterator[Terminal]:
    """A harvest of some minutes in a terminal; it ends with the terminal."""
    server = servers.start(latency=(0.1,))
    words = ["harvester", "run", "--ids", write_uids(folder / "ids", range(1, 2001))]
    words += ["--dbfrom=pubmed", "--db=pmc", "--rate=8", "--batch-size=1"]
    words += ["--base-url", server.base_url, "-o", folder / "out"]
    given = {"TERM": term, "LANG": "C.UTF-8", **env}
    with terminal(*map(str, words), columns=columns, env=given) as window:
        yield window


def wait_until_drawn(window: Terminal, columns: int) -> None:
    """Wait until the display is shown once, in a terminal of this width."""
    window.wait_for(lambda _: is_drawn_once(window, columns))


def is_drawn_once(window: Terminal, columns: int) -> bool:
    """Return whether the whole display is shown once, without a wrapped line."""
    lines = [line for line in window.lines() if line.strip()]
    bars = [number for number, line in enumerate(lines) if re.search("[━╸╺]", line)]
    if len(bars) != 1 or len(lines) < bars[0] + 1 + len(ROWS):
        return False
    bar, *rows = lines[bars[0] : bars[0] + 1 + len(ROWS)]
    fits = BAR.fullmatch(bar) is not None and len(bar) == min(columns, 100)
    return fits and all(map(str.startswith, rows, ROWS))


@pytest.mark.parametrize("columns", [60, 80, 120, 200])
def test_the_display_fits_each_width(servers: Servers, tmp_path: Path, columns: int) -> None:
    with running(servers, tmp_path, columns) as window:
        wait_until_drawn(window, columns)


def test_the_display_is_whole_after_a_resize(servers: Servers, tmp_path: Path) -> None:
    """The terminal wraps lines that are too long; all their rows must be erased."""
    with running(servers, tmp_path, 120) as window:
        wait_until_drawn(window, 120)
        for columns in (60, 140, 45, 80):
            window.resize(columns)
            if columns > 50:
                wait_until_drawn(window, columns)


def test_without_colours_no_colour_is_sent(servers: Servers, tmp_path: Path) -> None:
    colour = re.compile(r"\x1b\[[\d;]*\b(3[0-7]|9[0-7]|38;\d)[\d;]*m")
    with running(servers, tmp_path, 80) as window:
        wait_until_drawn(window, 80)
        assert colour.search(window.tmux("capture-pane", "-p", "-e"))
    (tmp_path / "other").mkdir()
    with running(servers, tmp_path / "other", 80, NO_COLOR="1") as window:
        wait_until_drawn(window, 80)
        assert not colour.search(window.tmux("capture-pane", "-p", "-e"))


def test_a_dumb_terminal_gets_plain_lines(servers: Servers, tmp_path: Path) -> None:
    with running(servers, tmp_path, 80, term="dumb") as window:
        window.wait_for("2,000 UIDs to request")
        window.key("C-c")
        screen = window.wait_for("harvester resume")
    assert re.match(r"\d\d:\d\d:\d\d 2,000 UIDs to request", screen)
    assert "━" not in screen


def test_an_interrupted_run_leaves_its_last_counts_and_the_way_on(
    servers: Servers, tmp_path: Path
) -> None:
    with running(servers, tmp_path, 100) as window:
        wait_until_drawn(window, 100)
        window.key("C-c")
        screen = window.wait_for("harvester resume")
    assert len(BAR.findall(screen)) == 1
    assert re.search(r"^requests  [\d,]+ sent, [\d,]+ retried$", screen, re.MULTILINE)
    assert "Interrupted" in screen
