"""Service times: how long a worker is busy with one request."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_Z99 = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""


@dataclass(frozen=True, slots=True)
class Choices:
    """Service times drawn from a list; one value is a fixed time, no value is 0 s.

    A probe of NCBI's ELink in 2026 measured 0.8, 6.8 and 13 s for one and the same request.
    """

    seconds: tuple[float, ...] = ()

    def draw(self, random: Random) -> float:
        """Return one of the values, in seconds."""
        return random.choice(self.seconds) if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Service times with a long tail.

    Attributes:
        median: seconds that half of the requests stay below.
        p99: seconds that 99 % of the requests stay below.
    """

    median: float
    p99: float

    def draw(self, random: Random) -> float:
        """Return one value, in seconds."""
        sigma = math.log(self.p99 / self.median) / _Z99
        return self.median * math.exp(sigma * random.gauss())


def read_latency(spelling: str | tuple[float, ...]) -> Choices | Lognormal:
    """Return the distribution of a spelling.

    Args:
        spelling: `0.8`, `0.8,6.8,13` or `lognormal:MEDIAN,P99`; numbers are used as they are.

    Raises:
        ValueError: the spelling is none of these.
    """
    if not isinstance(spelling, str):
        return Choices(tuple(spelling))
    kind, colon, rest = spelling.partition(":")
    try:
        numbers = tuple(
            float(part) for part in (rest if colon else kind).split(",") if part.strip()
        )
    except ValueError:
        numbers = (-1.0,)
    valid = all(0.0 <= number < math.inf for number in numbers)
    if valid and colon and kind == "lognormal" and len(numbers) == 2:
        median, p99 = numbers
        if 0.0 < median <= p99:
            return Lognormal(median, p99)
    if valid and not colon:
        return Choices(numbers)
    raise ValueError(
        f"{spelling!r} is not a latency. Give seconds such as 0.8 or 0.8,6.8,13,"
        " or lognormal:MEDIAN,P99 such as lognormal:1,40."
    )
