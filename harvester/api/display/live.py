"""The live display on a terminal, drawn with rich."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.control import Control
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import ControlType
from rich.table import Table
from rich.text import Text

from harvester import events
from harvester.wording import count, duration, limited_by, opening, read, retried, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_COLOURS = {"linked": "green", "empty": "cyan", "missing": "yellow", "failed": "red"}

REFRESH_SECONDS = 0.25
"""Seconds between two redraws."""

WIDEST = 100
"""Maximum columns of the progress bar; the other rows are shorter."""


class LiveDisplay:
    """Display of running counts, drawn when the screen is refreshed."""

    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._tally = events.Tally(time.monotonic)
        self._begun = time.monotonic()
        self._ended: float | None = None
        self._read: events.ReadProgress | None = None
        self._drawn: list[int] = []

    def __call__(self, event: events.Event) -> None:
        """Count one event."""
        self._tally(event)
        if isinstance(event, events.RunStarted):
            self._ended = None
            self._print(opening(event))
        elif isinstance(event, events.Warned):
            self._print(event.text, "yellow")
        elif self._verbose and isinstance(event, events.BatchRetried):
            self._print(retried(event), "dim")
        elif isinstance(event, events.ReadProgress):
            self._read = event
        elif isinstance(event, events.RunEnded):
            self._ended = time.monotonic()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = Group(*self._rows(options.max_width))
        yield from _erase(wrapped(self._drawn, options.max_width))
        lines = console.render_lines(rows, options, pad=False)
        self._drawn = [sum(segment.cell_length for segment in line) for line in lines]
        yield rows

    def _print(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style))

    def _rows(self, width: int) -> Iterator[RenderableType]:
        """Yield the rows of the display; none before the run has begun."""
        tally, width = self._tally, min(width, WIDEST)
        if self._read is not None:
            yield _bar(self._read.done, self._read.total, read(self._read), width)
        if not tally.server:
            return
        share = tally.done / tally.total if tally.total else 1.0
        said = f"{100 * share:.1f} %  {tally.done:,} of {count(tally.total, 'UID')}"
        yield _bar(tally.done, tally.total, said, width)
        yield _row("links", f"{tally.links:,}")
        outcomes = (
            Text(f"{tally.outcomes[name]:,} {name}", style=colour)
            for name, colour in _COLOURS.items()
        )
        yield _row("outcomes", Text("  ").join(outcomes))
        seconds = (self._ended or time.monotonic()) - self._begun
        if self._ended is not None:
            yield _row("requests", f"{tally.sent:,} sent, {tally.retried:,} retried")
            yield _row("time", duration(seconds))
            return
        pace = (
            f"{tally.achieved:.1f} of {tally.rate:g} requests/s   {tally.in_flight} in flight   "
            f"{tally.retried:,} retried"
        )
        yield _row("pace", pace)
        yield _row("speed", limited_by(tally.limited_by, tally.others, slowed=tally.slowed))
        eta = tally.eta_seconds
        left = f", about {duration(eta)} left" if eta else ""
        yield _row("time", f"{duration(seconds)} so far{left}")
        if tally.hours_end:
            here = tally.hours_end.astimezone()
            text = f"open until {here:%a %H:%M %Z} ({tally.hours_end:%a %H:%M} Eastern time)"
            yield _row("hours", text)
        if tally.waiting:
            yield Text(waiting(tally.waiting), style="yellow")


def wrapped(widths: Sequence[int], width: int) -> int:
    """Return by how many lines a text grows when a terminal becomes narrower.

    Args:
        widths: columns of each line.
        width: columns of the terminal.

    Example:
        >>> wrapped([100, 60, 121, 0], 60)
        3
    """
    return sum((one - 1) // width for one in widths if one > width)


def _erase(lines: int) -> Iterator[RenderableType]:
    """Erase the lines above the cursor into which a narrower terminal has wrapped the display.

    Terminals wrap lines again when they are resized, and Rich moves up by the lines that it wrote.
    """
    if lines:
        step = [(ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2)]
        yield Control(*(step * lines))


@contextmanager
def live_display(*, verbose: bool, transient: bool = False) -> Iterator[events.Listener]:
    """Show a display on the terminal of stderr during a run; `transient`: erase it at the end."""
    console = OneAtATime(stderr=True)
    display = LiveDisplay(console, verbose=verbose)
    with (
        Live(display, console=console, auto_refresh=False, transient=transient) as live,
        _refreshing(live, console),
    ):
        yield display


class OneAtATime(Console):
    """Console on which only one thread prints at a time.

    Rich composes what moves the cursor to the top of the display before it draws. If another
    thread draws in between, its display stays on the screen.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.printing = threading.RLock()

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as rich does."""
        with self.printing:
            super().print(*objects, **options)


@contextmanager
def _refreshing(live: Live, console: OneAtATime) -> Iterator[None]:
    """Redraw a display until the end of the context."""
    ended = threading.Event()

    def refresh() -> None:
        while not ended.wait(REFRESH_SECONDS):
            with console.printing:
                live.refresh()

    thread = threading.Thread(target=refresh, name="display", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _bar(done: int, total: int, said: str, width: int) -> RenderableType:
    bar = Table.grid(padding=(0, 1), expand=True)
    bar.width = width
    bar.add_column(ratio=1)
    bar.add_column(justify="right")
    bar.add_row(ProgressBar(total=max(total, 1), completed=done), said)
    return bar


def _row(name: str, value: RenderableType) -> RenderableType:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=9, style="dim")
    row.add_column()
    row.add_row(name, value)
    return row
