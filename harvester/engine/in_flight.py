"""The window: how many requests may be in flight, decided by rounds. Pure: no clock, no loop.

Implements rules 1 to 3 of `flow`, which explains the method.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from statistics import fmean
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST_ROUND, MOST_ROUND = 3, 16
"""Requests per round: enough for a mean, few enough for an early decision."""

_HEADROOM = 1.25  # factor of what the server works on at once: keeps it busy between two answers
_GROWTH = 1.5  # growth of a window in which no request queues
_NO_WAIT = 1.1  # factor of the latency without queueing: below it, no request queues
_NEAR = 0.25  # share of the window: a size as near as this fits
_IN_A_ROW = 2  # rounds with queueing after which a window that never limited shrinks
_MANY = 8  # rounds after which a window is measured although it has not settled
# numbers in flight, as logarithms: the same below the first, comparable above the second
_SAME, _COMPARABLE = math.log(1.1), math.log(1.25)
# growth of latency per growth of requests in flight, above which requests queue
_OURS, _ALL_OURS, _TOO_MUCH = 0.5, 0.8, 2.0
_DOUBT = 0.1  # standard error of a latency that has half the weight
_FIRST_TEST, _LAST_TEST = 60.0, 480.0  # seconds between rounds with half the window


class Limit(Enum):
    """Cause that limits the UIDs per second."""

    UNKNOWN = "unknown"
    RATE = "rate"
    SERVER = "server"


def spread(values: Sequence[float]) -> float:
    """Return the population standard deviation in floats; `pstdev` adds exact fractions, slowly."""
    mean = fmean(values)
    return math.sqrt(fmean([(value - mean) ** 2 for value in values]))


@dataclass(slots=True, eq=False)
class Round:
    """Consecutive requests, about as many as are in flight, and how they ended.

    A round is over once all its requests have ended. An earlier judgement would only include the
    fast answers.

    Attributes:
        want: number of requests in the round.
        first: number of the first one.
        sent: requests sent so far.
        held: number of requests that the window delayed.
        last_held: whether the window delayed the last one.
        others: requests whose latency does not count.
        latencies: latencies of all others, as logarithms of seconds.
    """

    want: int
    first: int
    sent: int = 0
    held: int = 0
    last_held: bool = False
    others: int = 0
    latencies: list[float] = field(default_factory=list)
    _in_flight: list[float] = field(default_factory=list)

    def add(self, *, held: bool) -> None:
        """Count a request that is sent."""
        self.sent += 1
        self.held += held
        self.last_held = held

    def end(self, in_flight: int, seconds: float) -> None:
        """Record the latency of a request, and how many were in flight as it was sent."""
        self._in_flight.append(math.log(in_flight))
        self.latencies.append(math.log(max(seconds, 1e-3)))

    @property
    def full(self) -> bool:
        """True if all its requests have been sent."""
        return self.sent >= self.want

    @property
    def over(self) -> bool:
        """True if all its requests have ended and some latencies are known."""
        ended = len(self.latencies) + self.others
        return self.full and bool(self.latencies) and ended >= self.sent

    @property
    def in_flight(self) -> float:
        """Geometric mean of the requests in flight when those of the round were sent."""
        return math.exp(fmean(self._in_flight))

    @property
    def seconds(self) -> float:
        """Latency as geometric mean, since a few answers may take very long."""
        return math.exp(fmean(self.latencies))

    @property
    def error(self) -> float:
        """Relative standard error of `seconds`."""
        if len(self.latencies) < LEAST_ROUND:
            return 1.0
        return spread(self.latencies) / math.sqrt(len(self.latencies))


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A request in flight.

    Attributes:
        number: its number in the order of sending.
        uids: number of UIDs.
        at: time of sending.
        in_flight: requests in flight then, including this one and abandoned ones.
        round: the round that it belongs to.
        usual: whether its batch is about as large as most were.
    """

    number: int
    uids: int
    at: float
    in_flight: int
    round: Round | None
    usual: bool


class Window:
    """Limit of requests in flight that keeps the server busy and few requests queued.

    From time to time it is halved for a round, to measure the latency without queueing again. If no
    request queues in that round, it may stay halved while two batch sizes are compared.

    Args:
        start: requests in flight until something is known.
        most: requests in flight that are never exceeded.

    Attributes:
        most: as given.
        size: requests that may be in flight.
        unloaded: latency in seconds without queueing behind our own requests.
        limit: what limited the last round.
        settled: the server limits, and the window fits it.
        idle: the window is halved, and no request queues.
    """

    def __init__(self, start: float, most: float) -> None:
        self.most = most
        self.size = min(start, most)
        self.unloaded = math.inf
        self.limit = Limit.UNKNOWN
        self.settled = self.idle = False
        self._whole: float | None = None  # the whole window, while it is halved
        self._last: Round | None = None  # to compare with
        self._in_a_row = 0
        self._unsettled = 0  # rounds in a row in which the window limited and did not fit
        self._test_at, self._test_rest = 0.0, _FIRST_TEST

    def __repr__(self) -> str:
        """Show size, latency without queueing, and limit."""
        return f"Window({self.size:.1f}, {self.unloaded:.2f} s unloaded, {self.limit.value})"

    def judge(self, done: Round, *, grows: bool) -> None:
        """Change the window according to a round.

        Args:
            done: a round that was sent with the window as it is, and is over.
            grows: more has been sent since than has come back.
        """
        ours = self._queue_is_ours(done)
        self.settled = False
        if self._whole is not None:
            self.size, self._whole = self._room(done) if ours else self._whole, None
        elif done.held == 0:
            self._follow_rate(done, grows=grows)
        elif done.last_held:
            self._follow_server(done, ours=bool(ours))
        self._unsettled = 0 if self.settled or not done.held else self._unsettled + 1

    def rebase(self, unloaded: float) -> None:
        """Adopt the latency of another batch size; earlier rounds no longer compare."""
        self.unloaded = unloaded
        self._last = None

    # --- half the window ----------------------------------------------------------------------

    @property
    def halved(self) -> bool:
        """True if rounds are sent with half the window."""
        return self._whole is not None

    @property
    def may_halve(self) -> bool:
        """True if the window fits the server, or has not found its size for many rounds.

        With few requests in flight, or refusals that keep them fewer still, it may never settle.
        """
        return self.settled or self._unsettled >= _MANY

    def test_is_due(self, now: float) -> bool:
        """Return whether latency without queueing was measured too long ago."""
        return now >= self._test_at

    def halve(self, now: float) -> None:
        """Send the next round with half the window."""
        self._whole, self.size = self.size, max(1.0, self.size / 2)
        self._unsettled = 0
        self._test_at = now + self._test_rest
        self._test_rest = min(2 * self._test_rest, _LAST_TEST)

    def clear(self, done: Round) -> bool:
        """Return whether no request queues in a round with half the window, which then stays."""
        last = self._last
        fewer = last is not None and 1.5 < done.in_flight < last.in_flight
        if last is not None and fewer and _elasticity(last, done) >= _ALL_OURS:
            return False
        self.idle = True
        self.unloaded, self._last = done.seconds, done
        return True

    def restore(self, now: float) -> None:
        """Return to the whole window."""
        assert self._whole is not None
        self.size, self._whole, self.idle = self._whole, None, False
        self._test_at = now + self._test_rest

    # --- what a round shows -------------------------------------------------------------------

    def _queue_is_ours(self, done: Round) -> bool | None:
        """Return whether latency grows with the requests in flight; None if unknown.

        Latency in a queue rises and falls with the number in flight. Otherwise it is the server's
        own: the latency of the round with fewer in flight is latency without queueing.
        """
        last = self._last or done
        grew = math.log(done.in_flight / last.in_flight)
        ours = None
        if abs(grew) > _COMPARABLE:
            elasticity = _elasticity(last, done)
            error = math.hypot(done.error, last.error) / abs(grew)
            if elasticity < _OURS:
                ours, self._in_a_row = False, 0
                self._adopt(done if grew < 0 else last)
            elif elasticity < _TOO_MUCH and (done.held or elasticity - error > _OURS):
                ours, self._in_a_row = True, self._in_a_row + 1
        if ours is not None or not _SAME < abs(grew) < _COMPARABLE:
            self._last = done
        careful = 1.0 if ours else 1.0 + 2.0 * done.error
        self.unloaded = min(self.unloaded, done.seconds * careful)
        return ours

    def _adopt(self, fewer: Round) -> None:
        """Take the latency of a round as latency without queueing, weighted by its precision."""
        if math.isinf(self.unloaded):
            self.unloaded = fewer.seconds
        weight = 1 / (1 + (fewer.error / _DOUBT) ** 2)
        self.unloaded = self.unloaded ** (1 - weight) * fewer.seconds**weight

    def _follow_rate(self, done: Round, *, grows: bool) -> None:
        """Keep a window that does not limit, unless requests pile up in the server."""
        if not grows:
            self.limit = Limit.RATE
            self.unloaded = self.unloaded**0.75 * done.seconds**0.25
            self._in_a_row = 0
            return
        self.limit = Limit.UNKNOWN
        if self._in_a_row >= _IN_A_ROW:
            self.size = min(self.size, self._room(done))

    def _follow_server(self, done: Round, *, ours: bool) -> None:
        """Fit a window that limits, so that the server is busy and few requests queue."""
        room, before = self._room(done), self.size
        if ours or room > before:
            self.size = room
        if done.seconds < (_NO_WAIT + done.error) * self.unloaded:
            self.size = max(before, _GROWTH * done.in_flight + 1)
        elif room < 0.8 * before and not ours:
            self.size = max(done.in_flight / 2, room)  # the next round shows whether that helps
        self.size = min(max(self.size, 1.0), self.most)
        fits = abs(room - before) <= _NEAR * before or before == self.size == self.most
        self.limit = Limit.SERVER if fits else Limit.UNKNOWN
        self.settled = fits and abs(self.size - before) <= _NEAR * before

    def _room(self, done: Round) -> float:
        """Return the server's answers per second times latency without queueing, and a margin."""
        working = done.in_flight / done.seconds * self.unloaded
        return min(_HEADROOM * working + 1, self.most)


def _elasticity(one: Round, other: Round) -> float:
    """Return growth of latency per growth of requests in flight: 1 in a queue, 0 without."""
    return math.log(other.seconds / one.seconds) / math.log(other.in_flight / one.in_flight)
