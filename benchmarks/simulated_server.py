"""A server with few workers, a queue and failures, on a clock that jumps from event to event.

It serves requests in order, several at a time, and continues to work on requests whose client has
given up, as real servers do. It has no loop: its user schedules its events.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import count
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    Service: TypeAlias = Callable[[int, random.Random, float], float]
    """Seconds of work on a request, by its UIDs; may be drawn, and depend on the time."""

ONE_WAY_SECONDS = 0.02
FIRST_MINUTE = 60.0
ERROR_SECONDS = 0.3
"""Until the server finds that a batch is too large, or fails by chance."""


@dataclass(frozen=True, slots=True)
class Slow:
    """The limits of a server.

    Attributes:
        name: for the table.
        service: seconds of work on a request.
        workers: requests it works on at a time.
        queue: requests that may wait for a worker; more are refused.
        status: status of refused requests, 503 or 429.
        most: maximum UIDs per request; larger requests fail.
        faults: share of the requests that fail by chance.
        loss: seconds from and to which only a quarter of the workers work.
        restarts: seconds between restarts.
        down: seconds that a restart takes.
    """

    name: str
    service: Service
    workers: float = math.inf
    queue: float = math.inf
    status: int = 503
    most: float = math.inf
    faults: float = 0.0
    loss: tuple[float, float] | None = None
    restarts: float = math.inf
    down: float = 20.0


class Ending(Enum):
    """The end of a request."""

    ANSWERED = auto()
    REFUSED = auto()
    FAILED = auto()
    RESET = auto()


@dataclass(slots=True, eq=False)
class Work:
    """A request at the server."""

    uids: int
    reply: Callable[[Ending], None]
    begun: float = math.inf
    wanted: bool = True


class Events:
    """Calls at given times, in order."""

    def __init__(self) -> None:
        self.now = 0.0
        self._heap: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Schedule a call."""
        heapq.heappush(self._heap, (when, next(self._order), call))

    def run(self, until: float) -> None:
        """Make all calls up to a time."""
        while self._heap and self._heap[0][0] <= until:
            self.now, _, call = heapq.heappop(self._heap)
            call()


@dataclass(slots=True)
class SimulatedServer:
    """A server that takes requests and ends them.

    Attributes:
        slow: what limits it.
        now: returns the time.
        at: schedules a call.
        chance: random numbers.
        worked: seconds of work done.
        wasted: seconds of work on answers that no client received.
    """

    slow: Slow
    now: Callable[[], float]
    at: Callable[[float, Callable[[], None]], object]
    chance: random.Random
    worked: float = 0.0
    wasted: float = 0.0
    _queue: deque[Work] = field(default_factory=deque)
    _running: set[Work] = field(default_factory=set)
    _down_until: float = -math.inf

    def start(self) -> None:
        """Schedule the restarts and the end of a loss."""
        if math.isfinite(self.slow.restarts):
            self.at(self.now() + self.slow.restarts, self._restart)
        if self.slow.loss:
            self.at(self.slow.loss[1], self._begin)

    @property
    def is_up(self) -> bool:
        """True if it accepts connections."""
        return self.now() >= self._down_until

    def send(self, uids: int, reply: Callable[[Ending], None]) -> Work:
        """Send it a request; `reply` is called with its end."""
        work = Work(uids, reply)
        self.at(self.now() + ONE_WAY_SECONDS, lambda: self._arrive(work))
        return work

    def _arrive(self, work: Work) -> None:
        if not self.is_up:
            work.reply(Ending.RESET)
        elif work.uids > self.slow.most or self.chance.random() < self.slow.faults:
            self.at(self.now() + ERROR_SECONDS, lambda: work.reply(Ending.FAILED))
        elif len(self._running) >= self._workers() and len(self._queue) >= self.slow.queue:
            self.at(self.now() + ONE_WAY_SECONDS, lambda: work.reply(Ending.REFUSED))
        else:
            self._queue.append(work)
            self._begin()

    def _workers(self) -> float:
        loss = self.slow.loss
        lost = loss is not None and loss[0] <= self.now() < loss[1]
        return self.slow.workers / 4 if lost else self.slow.workers

    def _begin(self) -> None:
        while self._queue and len(self._running) < self._workers():
            self._work_on(self._queue.popleft())

    def _work_on(self, work: Work) -> None:
        self._running.add(work)
        work.begun = self.now()
        seconds = self.slow.service(work.uids, self.chance, self.now())
        self.at(self.now() + seconds, lambda: self._finish(work))

    def _finish(self, work: Work) -> None:
        if work not in self._running:
            return  # a restart has lost it
        self._running.remove(work)
        seconds = self.now() - work.begun
        self.worked += seconds
        if work.wanted:
            work.reply(Ending.ANSWERED)
        else:
            self.wasted += seconds
        self._begin()

    def _restart(self) -> None:
        lost = [*self._running, *self._queue]
        self._running.clear()
        self._queue.clear()
        self._down_until = self.now() + self.slow.down
        self.at(self.now() + self.slow.restarts, self._restart)
        for work in lost:
            work.reply(Ending.RESET)


@dataclass(slots=True)
class Tally:
    """Counts of a harvest.

    Attributes:
        server: the server that was harvested.
        requests: sent.
        timeouts: requests that timed out.
        late: number of these sent after the first minute.
        refusals: requests refused for lack of capacity.
        answered: times and UIDs of the answers.
    """

    server: SimulatedServer
    requests: int = 0
    timeouts: int = 0
    late: int = 0
    refusals: int = 0
    answered: list[tuple[float, int]] = field(default_factory=list)

    @property
    def uids(self) -> int:
        """Number of UIDs answered."""
        return sum(uids for _, uids in self.answered)

    @property
    def wasted(self) -> float:
        """Share of the server's work on answers that no client received."""
        return self.server.wasted / (self.server.worked or 1.0)

    def time_out(self, sent_at: float) -> None:
        """Count a request that was sent at this time and timed out."""
        self.timeouts += 1
        self.late += sent_at > FIRST_MINUTE

    def per_second(self, begin: float, end: float) -> float:
        """Return the UIDs answered per second in an interval."""
        return sum(uids for at, uids in self.answered if begin <= at < end) / (end - begin)
