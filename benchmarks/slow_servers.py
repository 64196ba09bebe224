"""Slow, small, full and unsteady servers: the share of their capacity that the engine uses.

The real engine harvests from each simulated server for half an hour of simulated time. It is
compared with the best fixed pair of batch size and requests in flight, which is found by trying
many with a simulated client. Measures UIDs, requests that timed out or were refused, work of the
server on answers that no client received, and UIDs per second a minute after a failure. Does not
measure the network.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from benchmarks.measure import Row
from benchmarks.simulated_client import Fixed, Harvest
from benchmarks.simulated_server import Slow
from benchmarks.simulated_transport import harvest_with_engine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.simulated_server import Service, Tally

TROUBLE = (600.0, 900.0)

SIZES = (100, 200, 400, 800, 1600, 3200, 5000)
IN_FLIGHT = (1, 2, 4, 5, 8, 10, 16, 20, 26, 64, 130, 300)


def steady(base: float, each: float) -> Service:
    """Return a constant service time per request plus one per UID."""
    return lambda uids, chance, now: base + each * uids  # noqa: ARG005


def drawn(*latencies: float) -> Service:
    """Return service times drawn from a list, independent of the UIDs."""
    return lambda uids, chance, now: chance.choice(latencies)  # noqa: ARG005


def changing(*latencies: float) -> Service:
    """Return service times that change every five minutes."""
    return lambda uids, chance, now: latencies[int(now // 300) % len(latencies)]  # noqa: ARG005


def heavy_tailed(median: float, percentile_99: float) -> Service:
    """Return log-normal service times."""
    sigma = math.log(percentile_99 / median) / 2.3263
    return lambda uids, chance, now: chance.lognormvariate(math.log(median), sigma)  # noqa: ARG005


SERVERS = (
    Slow("0.8 s", drawn(0.8)),
    Slow("6.8 s", drawn(6.8)),
    Slow("13 s", drawn(13.0)),
    Slow("0.8, 6.8 or 13 s", drawn(0.8, 6.8, 13.0)),
    Slow("0.8, then 13, 3 and 6.8 s", changing(0.8, 13.0, 3.0, 6.8)),
    Slow("lognormal, median 1 s, p99 40 s", heavy_tailed(1.0, 40.0)),
    Slow("1 worker, 0.5 s + 2 ms a UID", steady(0.5, 0.002), 1),
    Slow("4 workers, 0.5 s + 2 ms a UID", steady(0.5, 0.002), 4),
    Slow("16 workers, 0.5 s + 2 ms a UID", steady(0.5, 0.002), 16),
    Slow("1 worker, 0.2 s + 10 ms a UID", steady(0.2, 0.01), 1),
    Slow("4 workers, 0.2 s + 10 ms a UID", steady(0.2, 0.01), 4),
    Slow("16 workers, 0.2 s + 10 ms a UID", steady(0.2, 0.01), 16),
    Slow("4 workers, queue of 4", steady(0.5, 0.002), 4, queue=4),
    Slow("4 workers, queue of 12", steady(0.5, 0.002), 4, queue=12),
    Slow("4 workers, queue of 100", steady(0.5, 0.002), 4, queue=100),
    Slow("16 workers, queue of 4", steady(0.5, 0.002), 16, queue=4),
    Slow("8 workers, 0.5 s + 10 ms, queue of 12", steady(0.5, 0.01), 8, queue=12),
    Slow("8 workers, queue of 12, status 429", steady(0.5, 0.01), 8, queue=12, status=429),
    Slow("4 workers, 1 for 5 minutes", steady(0.5, 0.002), 4, loss=TROUBLE),
    Slow("16 workers, 4 for 5 minutes", steady(0.5, 0.002), 16, loss=TROUBLE),
    Slow("fails above 400 UIDs", drawn(1.0), most=400),
    Slow("4 workers, fails above 400 UIDs", steady(0.5, 0.002), 4, most=400),
    Slow("4 workers, restarts every 10 minutes", steady(0.5, 0.002), 4, restarts=600.0),
    Slow("16 workers, restarts every 10 minutes", steady(0.5, 0.002), 16, restarts=600.0),
    Slow("0.8 s, 1 % faults", drawn(0.8), faults=0.01),
    Slow("4 workers, 1 % faults", steady(0.5, 0.002), 4, faults=0.01),
)


def best_pair(slow: Slow) -> tuple[Tally, int, int]:
    """Return the harvest with the best fixed pair, its batch size, and its requests in flight."""
    pairs = ((size, most) for size in SIZES if size <= slow.most for most in IN_FLIGHT)
    found = ((Harvest(slow, Fixed(*pair)).run(), *pair) for pair in pairs)
    return max(found, key=lambda one: (one[0].uids, one[1:]))


def rows() -> Iterator[Row]:
    for slow in SERVERS:
        best, size, most = best_pair(slow)
        found = harvest_with_engine(slow)
        name, note = slow.name, f"best pair: {size} UIDs, {most} in flight"
        share = 100 * found.uids / best.uids
        yield Row(f"{name}: UIDs", share, "% of the best pair's", note=note)
        yield Row(f"{name}: timed out", 100 * found.late / found.requests, "% of requests")
        yield Row(f"{name}: refused", 100 * found.refusals / found.requests, "% of requests")
        note = f"best pair: {100 * best.wasted:.1f} %" if best.wasted else ""
        yield Row(f"{name}: work wasted", 100 * found.wasted, "%", note=note)
        if end := end_of_trouble(slow):
            yield Row(f"{name}: a minute after", 100 * regained(found, end), "% of before")


def end_of_trouble(slow: Slow) -> float | None:
    """Return when the first failure of a server ends."""
    if slow.loss is not None:
        return slow.loss[1]
    return slow.restarts + slow.down if math.isfinite(slow.restarts) else None


def regained(found: Tally, end: float) -> float:
    """Return UIDs per second a minute after a failure, as a share of those before."""
    before = found.per_second(400.0, 600.0)
    return found.per_second(end + 60.0, end + 180.0) / before
