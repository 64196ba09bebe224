"""Pauses after a failed request, and during an outage."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from harvester.events import Waiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BACKOFF_SECONDS = 0.5
"""Longest pause after the first failure of a request; it doubles with each further failure."""

BACKOFF_CAP_SECONDS = 30.0
"""Longest pause before a failed request is sent again."""

LIMITER_SECONDS = 1.0
"""Seconds between requests to a shared rate limit that does not answer."""

FIRST_SECONDS, LONGEST_SECONDS = 5.0, 300.0
"""First and longest interval between requests in an outage."""


def backoff(tries: int, roll: Callable[[], float] = random.random) -> float:
    """Return the seconds to wait after `tries` failures: exponential, with full jitter.

    Full jitter spreads retries best when many requests failed together (Brooker, "Exponential
    Backoff And Jitter", AWS Architecture Blog, 2015).
    """
    return roll() * min(BACKOFF_CAP_SECONDS, BACKOFF_SECONDS * 2.0 ** min(tries - 1, 16))


def outage_delays() -> Iterator[float]:
    """Yield the seconds between requests in an outage: 5, 10, 20, ... up to 300, without end."""
    delay = FIRST_SECONDS
    while True:
        yield delay
        delay = min(2 * delay, LONGEST_SECONDS)


def probe_delays() -> Iterator[tuple[float, bool]]:
    """Yield the seconds before each probe, and whether the failures so far count as an outage.

    One failed probe proves little, since one request in twenty may fail on a bad day. After three
    in a row it is an outage.
    """
    yield from ((0.0, False), (0.5, False), (1.0, False))
    for delay in outage_delays():
        yield delay, True


def outage_event(delay: float, reason: str, now: datetime | None = None) -> Waiting:
    """Return the event of a wait in an outage.

    Args:
        delay: seconds until the next request.
        reason: why the last request failed.
        now: the time, aware; that of the system, by default.
    """
    until = (now or datetime.now(UTC)) + timedelta(seconds=delay)
    return Waiting("outage", until, reason, delay)


def limiter_event(reason: str) -> Waiting:
    """Return the event of a wait for the shared rate limit.

    Args:
        reason: why it cannot be asked.
    """
    until = datetime.now(UTC) + timedelta(seconds=LIMITER_SECONDS)
    return Waiting("limiter", until, reason, LIMITER_SECONDS)
