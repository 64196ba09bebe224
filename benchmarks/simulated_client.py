"""A client that requests UIDs without end from a simulated server, as the engine does.

It sends requests at the permitted rate as its control allows, retries failed ones, and pauses in
outages. Event-driven, so that half an hour takes a fraction of a second.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from benchmarks.simulated_server import Ending, Events, SimulatedServer, Tally
from harvester.client.backoff import backoff, probe_delays
from harvester.engine.outage import OPEN_AFTER
from harvester.engine.retry import WHOLE_TRIES
from harvester.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.simulated_server import Slow

SECONDS = 1800.0
RATE, TIMEOUT = 10.0, 60.0
PACE = 0.98  # share of the rate that the limiter's margin leaves
BYTES = 20  # bytes of an answer per UID: the memory budget is not measured here
PLENTY = 10**9  # UIDs to request


class Control(Protocol):
    """Decides when to send and how much, as `Flow` does."""

    def may_send(self, now: float) -> bool: ...
    def batch_size(self, fresh: int, now: float) -> int: ...
    def sent(self, uids: int, now: float) -> Any: ...
    def answered(self, sent: Any, size: int, now: float) -> None: ...
    def timed_out(self, sent: Any, now: float) -> None: ...
    def refused(self, sent: Any, now: float) -> None: ...
    def failed(self, sent: Any, fault: Fault, now: float) -> None: ...


class Fixed:
    """A fixed batch size and number of requests in flight."""

    def __init__(self, size: int, most: int) -> None:
        self._size, self._most, self._in_flight = size, most, 0

    def may_send(self, now: float) -> bool:  # noqa: ARG002
        return self._in_flight < self._most

    def batch_size(self, fresh: int, now: float) -> int:  # noqa: ARG002
        return self._size

    def sent(self, uids: int, now: float) -> None:  # noqa: ARG002
        self._in_flight += 1

    def answered(self, *_: object) -> None:
        self._in_flight -= 1

    timed_out = refused = failed = answered


@dataclass(slots=True, eq=False)
class _Request:
    uids: int
    tries: int
    sent: Any
    ended: bool = False


@dataclass(slots=True)
class Harvest:
    """A client that requests UIDs without end, as the engine does.

    Attributes:
        slow: limits of the server.
        control: decides when to send and how much.
        rate: requests per second permitted.
        timeout: seconds after which a request times out.
        seed: seed of the random numbers.
    """

    slow: Slow
    control: Control
    rate: float = RATE
    timeout: float = TIMEOUT
    seed: int = 1
    _events: Events = field(default_factory=Events)
    _server: SimulatedServer = field(init=False)
    _tally: Tally = field(init=False)
    _chance: random.Random = field(init=False)
    _again: list[tuple[float, int, int, int]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _next_permit: float = 0.0
    _waits_for_permit: bool = False
    _in_a_row: int = 0
    _open: bool = False  # the circuit: an outage

    def run(self, seconds: float = SECONDS) -> Tally:
        """Harvest for `seconds`."""
        events = self._events
        self._chance = random.Random(self.seed)
        self._server = SimulatedServer(self.slow, lambda: events.now, events.at, self._chance)
        self._tally = Tally(self._server)
        self._server.start()
        self._send_or_wait()
        events.run(seconds)
        return self._tally

    def _send_or_wait(self) -> None:
        if self._open or self._waits_for_permit or not self.control.may_send(self._events.now):
            return
        self._waits_for_permit = True
        self._events.at(max(self._events.now, self._next_permit), self._send)

    def _send(self) -> None:
        now = self._events.now
        self._waits_for_permit = False
        if self._open:
            return
        self._next_permit = now + 1 / (self.rate * PACE)
        if self._again and self._again[0][0] <= now:
            _, _, uids, tries = heapq.heappop(self._again)
        else:
            uids, tries = self.control.batch_size(PLENTY, now), 0
        request = _Request(uids, tries, self.control.sent(uids, now))
        self._tally.requests += 1
        work = self._server.send(uids, partial(self._end, request))

        def give_up() -> None:
            work.wanted = request.ended
            self._time_out(request, now)

        self._events.at(now + self.timeout, give_up)
        self._send_or_wait()

    def _end(self, request: _Request, ending: Ending) -> None:
        if request.ended:
            return
        request.ended = True
        control, now = self.control, self._events.now
        match ending:
            case Ending.ANSWERED:
                control.answered(request.sent, BYTES * request.uids, now)
                self._tally.answered.append((now, request.uids))
                self._in_a_row = 0
            case Ending.REFUSED:
                self._tally.refusals += 1
                control.refused(request.sent, now)
                self._put_back(request.uids, request.tries, 1)
            case Ending.FAILED | Ending.RESET:
                fault = Fault.SERVER if ending is Ending.FAILED else Fault.NETWORK
                control.failed(request.sent, fault, now)
                self._retry(request)
        if ending is not Ending.ANSWERED:
            self._count_failure()
        self._send_or_wait()

    def _time_out(self, request: _Request, sent_at: float) -> None:
        if request.ended:
            return
        request.ended = True
        self._tally.time_out(sent_at)
        self.control.timed_out(request.sent, self._events.now)
        self._retry(request)
        self._count_failure()
        self._send_or_wait()

    def _retry(self, request: _Request) -> None:
        tries = request.tries + 1
        if tries < WHOLE_TRIES or request.uids == 1:
            self._put_back(request.uids, tries, tries)
        else:
            half = (request.uids + 1) // 2
            self._put_back(half, tries, tries)
            self._put_back(request.uids - half, tries, tries)

    def _put_back(self, uids: int, tries: int, pauses: int) -> None:
        at = self._events.now + backoff(pauses, self._chance.random)
        heapq.heappush(self._again, (at, next(self._order), uids, tries))

    def _count_failure(self) -> None:
        self._in_a_row += 1
        if self._in_a_row >= OPEN_AFTER and not self._open:
            self._open = True
            self._probe(probe_delays())

    def _probe(self, delays: Iterator[tuple[float, bool]]) -> None:
        """Wait until the server accepts connections; a request for one UID is answered then."""
        if self._server.is_up:
            self._open, self._in_a_row = False, 0
            self._send_or_wait()
            return
        self._events.at(self._events.now + next(delays)[0], partial(self._probe, delays))
