"""Displays of a running harvest: live, a plain line every half minute, or JSON."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

from harvester import events
from harvester.wording import ended, line, read, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

PLAIN_SECONDS = 30.0

_NO_CURSOR = {"dumb", "unknown"}
"""Kinds of terminals whose cursor cannot be moved."""


def make_display(
    stream: TextIO,
    *,
    quiet: bool,
    verbose: bool,
    as_json: bool,
    transient: bool = False,
    says_end: bool = False,
) -> AbstractContextManager[events.Listener]:
    """Return the display that fits the stream and the options, as a listener.

    Args:
        stream: where to show it.
        quiet: show nothing.
        verbose: also show each retry; in JSON, each request.
        as_json: write JSON lines.
        transient: whether a live display is erased at the end.
        says_end: whether plain lines end with one about the end; the command has a summary.
    """
    if quiet:
        return nullcontext(_silent)
    if as_json:
        return nullcontext(JsonLog(stream, verbose=verbose))
    if stream.isatty() and os.environ.get("TERM", "").lower() not in _NO_CURSOR:
        from harvester.api.display.live import live_display  # noqa: PLC0415 - rich is heavy

        return live_display(verbose=verbose, transient=transient)
    return _plain(stream, verbose=verbose, says_end=says_end)


def write_line(stream: TextIO, line: str) -> None:
    """Write a line, ignoring errors of the stream: a full log must not end a harvest."""
    with suppress(OSError):
        stream.write(f"{line}\n")
        stream.flush()


def _silent(_: events.Event) -> None:
    """Ignore all events, for -q."""


class JsonLog:
    """Log with one JSON object per line; requests and answers only if verbose."""

    _CHATTY = (events.RequestSent, events.RequestEnded, events.BatchAnswered, events.UidsSettled)

    def __init__(self, stream: TextIO, *, verbose: bool) -> None:
        self._stream = stream
        self._verbose = verbose

    def __call__(self, event: events.Event) -> None:
        """Write one event."""
        if self._verbose or not isinstance(event, self._CHATTY):
            said: dict[str, Any] = {
                "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "event": type(event).__name__,
            }
            for field in fields(event):
                value = getattr(event, field.name)
                said[field.name] = _json_value(value)
            write_line(self._stream, json.dumps(said))


def _json_value(value: object) -> object:
    """Return a value as JSON has it: times as text, numbers with three digits."""
    if isinstance(value, datetime):
        return value.isoformat()
    return round(value, 3) if isinstance(value, float) else value


class PlainLines:
    """Log with a line every half minute, and one for each important event."""

    def __init__(self, stream: TextIO, *, verbose: bool, says_end: bool) -> None:
        self._stream = stream
        self._verbose = verbose
        self._says_end = says_end
        self._tally = events.Tally(time.monotonic)
        self._next = time.monotonic() + PLAIN_SECONDS

    def __call__(self, event: events.Event) -> None:
        """Count one event, and write a line if it is due."""
        self._tally(event)
        if isinstance(event, events.PartCommitted) and time.monotonic() >= self._next:
            self._next = time.monotonic() + PLAIN_SECONDS
            self._say(line(self._tally))
        elif isinstance(event, events.ReadProgress):
            if time.monotonic() >= self._next:
                self._next = time.monotonic() + PLAIN_SECONDS
                self._say(read(event))
        elif isinstance(event, events.RunEnded):
            self._say(ended(event, self._tally) if self._says_end else None)
        elif self._verbose or not isinstance(event, events.BatchRetried):
            self._say(sentence(event))

    def _say(self, text: str | None) -> None:
        if text is None:
            return
        write_line(self._stream, f"{datetime.now().astimezone():%H:%M:%S} {text}")


@contextmanager
def _plain(stream: TextIO, *, verbose: bool, says_end: bool) -> Iterator[events.Listener]:
    yield PlainLines(stream, verbose=verbose, says_end=says_end)
