"""The live display on a terminal, drawn with rich."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from harvester import events
from harvester.wording import duration, exported, limited_by, opening, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator

_COLOURS = {"linked": "green", "empty": "cyan", "missing": "yellow", "failed": "red"}


class LiveDisplay:
    """Display that counts events, and is drawn from the counts when the screen is refreshed."""

    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._tally = events.Tally(time.monotonic)
        self._begun = time.monotonic()
        self._export: events.ExportProgress | None = None

    def __call__(self, event: events.Event) -> None:
        """Count one event."""
        self._tally(event)
        if isinstance(event, events.RunStarted):
            self._console.print(Text(opening(event)))
        elif isinstance(event, events.Warned):
            self._console.print(Text(event.text, style="yellow"))
        elif self._verbose and isinstance(event, events.BatchRetried):
            text = f"{event.uids} UIDs again in {event.delay:.1f} s: {event.reason}"
            self._console.print(Text(text, style="dim"))
        elif isinstance(event, events.ExportProgress):
            self._export = event

    def __rich__(self) -> RenderableType:
        if self._export is not None:
            return _bar(self._export.done, self._export.total, exported(self._export))
        tally = self._tally
        if not tally.server:  # nothing has begun, and perhaps nothing will
            return Text()
        share = tally.done / tally.total if tally.total else 1.0
        said = f"{100 * share:.1f} %  {tally.done:,} of {tally.total:,} UIDs"
        bar = _bar(tally.done, tally.total, said)
        outcomes = Text("  ").join(
            Text(f"{tally.outcomes[name]:,} {name}", style=colour)
            for name, colour in _COLOURS.items()
        )
        pace = (
            f"{tally.achieved:.1f} of {tally.rate:g} requests/s   {tally.in_flight} in flight   "
            f"{tally.retried:,} retried"
        )
        eta = tally.eta_seconds
        when = f"{duration(time.monotonic() - self._begun)} so far"
        if eta:
            when += f", about {duration(eta)} left"
        rows: list[RenderableType] = [bar, _row("links", f"{tally.links:,}")]
        limit = limited_by(tally.limited_by, tally.others)
        rows += [_row("outcomes", outcomes), _row("pace", pace), _row("speed", limit)]
        rows.append(_row("time", when))
        if tally.hours_end:
            here = tally.hours_end.astimezone()
            text = f"open until {here:%a %H:%M %Z} ({tally.hours_end:%a %H:%M} Eastern time)"
            rows.append(_row("hours", text))
        if tally.waiting:
            rows.append(Text(waiting(tally.waiting), style="yellow"))
        return Group(*rows)


@contextmanager
def live_display(*, verbose: bool) -> Iterator[events.Listener]:
    """Show a display on the terminal of stderr during a run."""
    console = Console(stderr=True)
    display = LiveDisplay(console, verbose=verbose)
    with Live(display, console=console, refresh_per_second=4, transient=False):
        yield display


def _bar(done: int, total: int, said: str) -> RenderableType:
    bar = Table.grid(padding=(0, 1), expand=True)
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
