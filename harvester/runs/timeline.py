"""Records the course of a run in the timeline of its harvest."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from harvester import events
from harvester.store.timeline import latency_bin

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.store.timeline import Bucket, Span, Timeline

SAVE_SECONDS = 8.0
"""Seconds between two copies in the state; each commit also causes one."""

STALL_SECONDS = 30.0
"""Seconds without an event after which this process counts as stopped for that time."""

_GRAIN_SECONDS = 0.01
"""Seconds below which a time is counted together with the next: events come in bursts."""


class TimelineRecorder:
    """Listener that records the events of one run in a timeline.

    Args:
        timeline: that of the earlier runs, or an empty one.
        rate: returns the requests per second permitted now.
        wall: returns seconds since 1970.
        clock: returns monotonic seconds.
    """

    def __init__(
        self,
        timeline: Timeline,
        rate: Callable[[], float],
        wall: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._timeline = timeline
        self._rate, self._wall, self._clock = rate, wall, clock
        self._permitted = rate()
        self._limit: events.Limit = "rate"
        self._in_flight = 0
        self._at, self._ticks = wall(), clock()
        self._run: Span | None = None
        self._wait: Span | None = None
        self._ended = False
        self._due, self._saved_at = False, -SAVE_SECONDS

    def __call__(self, event: events.Event) -> None:
        """Record one event."""
        match event:
            case events.RequestSent():
                self._begin()
                bucket = self._now()
                bucket.sent += 1
                bucket.asked += event.uids
                self._in_flight += 1
                bucket.most_in_flight = max(bucket.most_in_flight, self._in_flight)
            case events.RequestEnded():
                self._spend()
                self._in_flight -= 1
            case events.BatchAnswered():
                bucket = self._now()
                bucket.ok += 1
                bucket.latency[latency_bin(event.seconds)] += 1
            case events.BatchRetried():
                self._now().retried[self._timeline.reason(event.reason)] += 1
            case events.SlowedDown():
                self._now().rate_limited += 1
                self._permitted = event.rate
            case events.LimitChanged():
                self._spend()
                self._limit = event.by
            case events.UidsSettled():
                bucket = self._now()
                bucket.settled += sum(event.outcomes.values())
                bucket.links += event.links
            case events.Waiting():
                self._begin_wait(event)
            case events.Resumed():
                self._end_wait()
            case events.PartCommitted():
                self._due = True

    def end(self, state: str) -> None:
        """Record how the run ended."""
        if self._run is not None:
            self._spend()
            self._end_wait()
            self._run.end, self._run.text = self._at, state
            self._due, self._ended = True, True

    def copy(self) -> str | None:
        """Return the timeline as text if a copy of it is due, else None."""
        if self._run is None:
            return None
        if not self._ended:
            self._spend()
            self._permitted = self._rate()
        if not self._due and self._clock() - self._saved_at < SAVE_SECONDS:
            return None
        self._due, self._saved_at = False, self._clock()
        for span in filter(None, (self._run, self._wait)):
            span.end = self._at
        return self._timeline.dump()

    def _begin(self) -> None:
        if self._run is None:
            self._at, self._ticks = self._wall(), self._clock()
            self._run = self._timeline.begin("run", self._at)

    def _begin_wait(self, event: events.Waiting) -> None:
        """Begin or continue a wait: during an outage each probe emits an event."""
        self._begin()
        self._spend()
        if self._wait is not None and self._wait.kind != event.cause:
            self._end_wait()
        if self._wait is None:
            self._wait = self._timeline.begin(event.cause, self._at)
        self._wait.text = event.reason

    def _end_wait(self) -> None:
        if self._wait is not None:
            self._spend()
            self._wait.end, self._wait = self._at, None

    def _now(self) -> Bucket:
        """Return the bucket of this moment."""
        self._spend()
        return self._timeline.at(self._at)

    def _spend(self) -> None:
        """Add the time since the last event to its buckets."""
        ticks = self._clock()
        if 0 <= ticks - self._ticks < _GRAIN_SECONDS:
            return
        wall = self._wall()
        spent = min(wall - self._at, ticks - self._ticks)  # the clock of the machine may be changed
        self._at, self._ticks = wall, ticks
        if not 0 < spent < STALL_SECONDS or self._run is None:
            return
        cause = None if self._wait is None else self._wait.kind
        if cause == "hours":
            return
        while spent > 0:
            bucket, left = self._timeline.at(wall - spent), self._timeline.left(wall - spent)
            part = min(spent, left)
            bucket.seconds += part
            bucket.in_flight += part * self._in_flight
            bucket.permitted += part * self._permitted
            bucket.limited[cause or self._limit] += part
            spent -= part
