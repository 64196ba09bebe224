"""Notice when this process did not run: it was stopped, starved, or the machine slept."""

from __future__ import annotations

import asyncio
import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BEAT_SECONDS = 1.0
STALL_SECONDS = 2.0
"""Seconds by which a late beat indicates a stall."""


class Heartbeat:
    """Beats once per second on the event loop, and records when a beat came far too late.

    A failure while this process did not run proves nothing about the server: its answers were
    unread when the time-outs expired.

    Args:
        on_beat: called with every beat.
    """

    def __init__(self, on_beat: Callable[[], None] = lambda: None) -> None:
        self._on_beat = on_beat
        self._loop = asyncio.get_running_loop()
        self._stalled_at = -math.inf
        self._beat_at = self._loop.time()
        self._wall = time.time()
        self._timer: asyncio.TimerHandle | None = None

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Context manager. Beat while inside."""
        self._beat()
        try:
            yield
        finally:
            if self._timer is not None:
                self._timer.cancel()

    def stalled_since(self, moment: float) -> bool:
        """Return whether this process did not run for a while after `moment` (loop time)."""
        late = self._loop.time() - self._beat_at > BEAT_SECONDS + STALL_SECONDS
        return late or self._stalled_at >= moment

    def _beat(self) -> None:
        now, wall = self._loop.time(), time.time()
        passed = max(now - self._beat_at, min(wall - self._wall, 86400.0))
        if passed > BEAT_SECONDS + STALL_SECONDS:
            self._stalled_at = now
        self._beat_at, self._wall = now, wall
        self._on_beat()
        self._timer = self._loop.call_later(BEAT_SECONDS, self._beat)
