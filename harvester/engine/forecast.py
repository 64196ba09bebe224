"""Forecast of a harvest: the requests that the engine will send, and their times.

The forecast runs the engine's own `Flow` against a server of assumed latency, request by request,
without a clock. So it includes growing batch sizes (`auto`), a limited number in flight, and the
pace of the limiter. Once the sizes are steady, the rest is extrapolated: all of PubMed takes as
long to forecast as ten thousand UIDs.
"""

from __future__ import annotations

import heapq
import math
import random
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Literal

from harvester.client.pacing.sliding_window import GUARD_SECONDS
from harvester.engine.batch_trials import MOST
from harvester.engine.flow import LATENCY_SECONDS, Flow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.engine.in_flight import Sent

LATENCIES = (0.8, LATENCY_SECONDS)
"""Seconds per response: a public API probe of March 2026 saw 785 ms to 13 s at equal load."""

_SIMULATED = 2000
"""Number of requests that are simulated; the rest is extrapolated. Sizes are steady by then: at 10
requests per second this is more than three minutes."""

_RUNS = 9
"""Simulations with other latencies, where batch sizes or the end depend on them. The median one
counts."""

_FEW = 200
"""Requests below which the last response is a large part of the time."""

_STEADY = 0.5
"""Share of the simulated requests, the last ones, that give the steady pace."""


@dataclass(frozen=True, slots=True)
class Assumed:
    """Assumptions of a forecast about the server.

    Attributes:
        latencies: seconds per response, lowest and highest; drawn log-uniformly.
        bytes_per_uid: of a response.
        most: UIDs per request that the server answers, at most.
    """

    latencies: tuple[float, float] = LATENCIES
    bytes_per_uid: float = 100.0
    most: int = MOST


@dataclass(frozen=True, slots=True)
class Forecast:
    """The requests of a harvest that sends without interruption.

    Attributes:
        requests: sent in all.
        seconds: from the first request to the last response.
        batch_size: UIDs per request, once steady.
        steady: requests sent after `times` per second.
        times: when the first requests are sent, in seconds from the start.
    """

    requests: int
    seconds: float
    batch_size: int
    steady: float
    times: Sequence[float] = field(repr=False)

    def sent_by(self, seconds: float) -> int:
        """Return how many requests are sent in the first seconds."""
        simulated = len(self.times)
        if seconds >= self.seconds:
            return self.requests
        if not simulated or seconds <= self.times[-1]:
            return bisect_right(self.times, seconds)
        later = int((seconds - self.times[-1]) * self.steady)
        return min(self.requests, simulated + later)


def forecast(
    uids: int,
    rate: float,
    *,
    timeout: float,
    batch_size: int | Literal["auto"],
    concurrency: int | Literal["auto"],
    assumed: Assumed | None = None,
) -> Forecast:
    """Return the forecast of a harvest.

    Args:
        uids: number of UIDs to request.
        rate: requests per second permitted.
        timeout: seconds per request.
        batch_size: as in the job.
        concurrency: as in the job.
        assumed: about the server.
    """
    assumed = assumed or Assumed()
    if not uids:
        return Forecast(0, 0.0, 0, 0.0, [])
    runs = []
    is_varied = batch_size == "auto" or uids < _FEW * batch_size
    for seed in range(_RUNS if is_varied else 1):
        flow = Flow(rate, timeout, batch_size, concurrency, assumed.most)
        simulation = _Simulation(flow, rate, assumed, uids, seed)
        simulation.run()
        runs.append(_extrapolated(simulation, assumed))
    return sorted(runs, key=lambda run: run.seconds)[len(runs) // 2]


def _extrapolated(simulation: _Simulation, assumed: Assumed) -> Forecast:
    """Return the forecast of a simulation that may have ended before all was sent."""
    times, sizes, left = simulation.times, simulation.sizes, simulation.left
    if not left:
        return Forecast(len(times), simulation.now, max(sizes), 0.0, times)
    begin = int(len(times) * (1 - _STEADY))
    steady = (len(times) - 1 - begin) / (times[-1] - times[begin])
    size = sum(sizes[begin:]) / len(sizes[begin:])
    requests = math.ceil(left / size)
    last = times[-1] + requests / steady + assumed.latencies[1]
    return Forecast(len(times) + requests, last, round(size), steady, times)


class _Simulation:
    """The engine's loop, event by event.

    Attributes:
        now: seconds since the start.
        times, sizes: of the requests sent.
        left: UIDs not sent.
    """

    def __init__(self, flow: Flow, rate: float, assumed: Assumed, uids: int, seed: int) -> None:
        self.now, self.left = 0.0, uids
        self.times: list[float] = []
        self.sizes: list[int] = []
        self._flow, self._assumed = flow, assumed
        self._pause = (1 + GUARD_SECONDS) / rate
        self._permit_at = 0.0
        self._ends: list[tuple[float, int, Sent]] = []
        self._order = count()
        self._random = random.Random(seed)

    def run(self) -> None:
        """Send until nothing is left, or enough is simulated; answer what is in flight."""
        while self.left and len(self.times) < _SIMULATED:
            if not self._flow.may_send(self.now):
                self._answer()
                continue
            while self._ends and self._ends[0][0] <= self._permit_at:
                self._answer()
            self.now = max(self.now, self._permit_at)
            self._send()
        while not self.left and self._ends:
            self._answer()

    def _send(self) -> None:
        uids = min(self._flow.batch_size(self.left, self.now), self.left)
        sent = self._flow.sent(uids, self.now)
        low, high = map(math.log, self._assumed.latencies)
        end = self.now + math.exp(self._random.uniform(low, high))
        heapq.heappush(self._ends, (end, next(self._order), sent))
        self.times.append(self.now)
        self.sizes.append(uids)
        self.left -= uids
        self._permit_at = self.now + self._pause

    def _answer(self) -> None:
        end, _, sent = heapq.heappop(self._ends)
        self.now = max(self.now, end)
        self._flow.answered(sent, int(self._assumed.bytes_per_uid * sent.uids), self.now)
