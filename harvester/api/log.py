"""A listener that writes the events of a run to a logger of the standard library."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from harvester import events, wording

if TYPE_CHECKING:
    from harvester.events import Event, Listener

PROGRESS_SECONDS = 30.0
"""Seconds between two lines of progress."""

_LEVELS = {
    events.Warned: logging.WARNING,
    events.Waiting: logging.WARNING,
    events.BatchRetried: logging.DEBUG,
}


def log_to(logger: logging.Logger | str = "harvester") -> Listener:
    """Return a listener that writes what the command line would show to a logger.

    Warnings and waits have level WARNING, which Python shows by default; the begin, progress and
    the end INFO, retries DEBUG. It is the default listener of a run.

    Args:
        logger: the logger, or its name.

    Example:
        ```
        logging.basicConfig(level=logging.INFO)
        await harvest(job, listeners=[log_to()])
        ```
    """
    return _Log(logging.getLogger(logger) if isinstance(logger, str) else logger)


class _Log:
    """Counts events, and writes a line for each important one."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._tally = events.Tally(time.monotonic)
        self._next = time.monotonic() + PROGRESS_SECONDS

    def __call__(self, event: Event) -> None:
        self._tally(event)
        if isinstance(event, events.PartCommitted) and time.monotonic() >= self._next:
            self._next = time.monotonic() + PROGRESS_SECONDS
            self._logger.info(wording.line(self._tally))
        elif isinstance(event, events.RunEnded):
            self._logger.info(wording.ended(event, self._tally))
        elif (text := wording.sentence(event)) is not None:
            self._logger.log(_LEVELS.get(type(event), logging.INFO), wording.for_python(text))
