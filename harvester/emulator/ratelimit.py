"""Requests of the last second, by API key or address, over all utilities together."""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the server makes of one request: `count` in this second, itself included, of `limit`."""

    count: int
    limit: int

    @property
    def granted(self) -> bool:
        """Whether the request is within the limit."""
        return self.count <= self.limit

    @property
    def remaining(self) -> int:
        """What X-RateLimit-Remaining says."""
        return max(self.limit - self.count, 0)


class RateLimit:
    """A sliding window of one second for each caller.

    Refused requests count too, so that a storm of retries stays refused (NCBI's bodies showed
    counts of 17 and 26 against a limit of 3).

    Args:
        without_key: requests a second from an address without an API key; NBK25497 says 3.
        with_key: requests a second with a key; NBK25497 says 10.
    """

    def __init__(self, without_key: int = 3, with_key: int = 10) -> None:
        self._limits = (without_key, with_key)
        self._arrivals: dict[str, deque[float]] = {}

    def count(self, who: str, now: float, *, has_key: bool) -> Allowance:
        """Count a request that arrived at `now` (monotonic seconds), perhaps before others."""
        arrivals = self._arrivals.setdefault(who, deque())
        insort(arrivals, now)
        while arrivals[0] <= arrivals[-1] - 1.0:
            arrivals.popleft()
        return Allowance(len(arrivals), self._limits[has_key])
