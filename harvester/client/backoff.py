"""How long to wait after a failed request."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BACKOFF_SECONDS = 0.5
BACKOFF_CAP_SECONDS = 30.0


def backoff(tries: int, roll: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failed tries: exponential, with full jitter.

    Full jitter spreads retries best when many failed together (Brooker, "Exponential Backoff
    And Jitter", AWS Architecture Blog, 2015).
    """
    return roll() * min(BACKOFF_CAP_SECONDS, BACKOFF_SECONDS * 2.0 ** min(tries - 1, 16))
