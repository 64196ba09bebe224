"""The nights of a harvest: the hours in which the forecast requests are sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from harvester.engine.off_peak import EASTERN, closes_at, opens_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from harvester.engine.forecast import Forecast


@dataclass(frozen=True, slots=True)
class Night:
    """Hours without interruption in which requests are sent; also of a weekend or a day.

    Attributes:
        begin: first request, aware.
        end: last response, or the end of the off-peak hours.
        requests: sent meanwhile.
    """

    begin: datetime
    end: datetime
    requests: int


@dataclass(frozen=True, slots=True)
class Course:
    """Forecasts one after the other: the passes of a harvest, the hops of a chain.

    Attributes:
        forecasts: in their order.
        least_seconds: that the harvest takes in any case, since its source is not read faster.
    """

    forecasts: Sequence[Forecast]
    least_seconds: float = 0.0

    @property
    def requests(self) -> int:
        """Requests in all."""
        return sum(one.requests for one in self.forecasts)

    @property
    def seconds(self) -> float:
        """Seconds of sending, without the hours between nights."""
        return max(sum(one.seconds for one in self.forecasts), self.least_seconds)

    def sent_by(self, seconds: float) -> int:
        """Return how many requests are sent in the first seconds."""
        unstretched = sum(one.seconds for one in self.forecasts)
        left = seconds * unstretched / self.seconds if self.seconds else 0.0
        sent = 0
        for one in self.forecasts:
            sent += one.sent_by(max(left, 0.0)) if left > 0 else 0
            left -= one.seconds
        return sent


def nights(course: Course, start: datetime, *, bound: bool) -> list[Night]:
    """Return the nights of a harvest that starts at a time; at least one if it sends anything.

    Args:
        course: what it sends.
        start: when it is started, aware.
        bound: whether it keeps NCBI's off-peak hours.

    Returns:
        Nights with times in US Eastern time if bound, else in UTC. Lengths are real hours: the
        night of a clock change has its own.
    """
    zone = EASTERN if bound else UTC
    found: list[Night] = []
    at, sent, passed = start.astimezone(UTC), 0, 0.0
    while sent < course.requests:
        begin = opens_at(at).astimezone(UTC) if bound else at
        end = begin + timedelta(seconds=course.seconds - passed)
        if bound:
            end = min(end, closes_at(begin).astimezone(UTC))
        passed += (end - begin).total_seconds()
        is_last = passed >= course.seconds - 1e-3
        by_now = course.requests if is_last else course.sent_by(passed)
        found.append(Night(begin.astimezone(zone), end.astimezone(zone), by_now - sent))
        at, sent = end, by_now
    return found
