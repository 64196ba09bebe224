"""How long to wait after a failed request."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BACKOFF_SECONDS = 0.5
"""Longest pause after the first failure; it doubles with each further failure."""

BACKOFF_CAP_SECONDS = 30.0
"""Longest pause before a failed request is sent again."""

FIRST_SECONDS, LONGEST_SECONDS = 5.0, 300.0
"""First and longest interval between probes in an outage."""


def backoff(tries: int, roll: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failed tries: exponential, with full jitter.

    Full jitter spreads retries best when many failed together (Brooker, "Exponential Backoff
    And Jitter", AWS Architecture Blog, 2015).
    """
    return roll() * min(BACKOFF_CAP_SECONDS, BACKOFF_SECONDS * 2.0 ** min(tries - 1, 16))


def outage_delays() -> Iterator[tuple[float, bool]]:
    """Yield the seconds before each probe, and whether it is taken for an outage by then.

    One failed probe proves little, since one request in twenty may fail on a bad day. After three
    in a row it is an outage, and the interval doubles from 5 s up to 5 min.
    """
    yield from ((0.0, False), (0.5, False), (1.0, False))
    delay = FIRST_SECONDS
    while True:
        yield delay, True
        delay = min(delay * 2, LONGEST_SECONDS)
