"""Rate limit: requests of the last second per API key or address, over all utilities."""

from __future__ import annotations

from bisect import insort
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """Result for one request: `count` requests in this second, itself included, of `limit`."""

    count: int
    limit: int

    @property
    def granted(self) -> bool:
        """True if the request is within the limit."""
        return self.count <= self.limit

    @property
    def remaining(self) -> int:
        """Value of X-RateLimit-Remaining."""
        return max(self.limit - self.count, 0)


class RateLimit:
    """Sliding window of one second per caller.

    Refused requests count too, so that a burst of retries stays refused (NCBI's answers
    showed counts of 17 and 26 with a limit of 3).

    Args:
        without_key: requests per second from an address without an API key (NBK25497: 3).
        with_key: requests per second with a key (NBK25497: 10).
    """

    def __init__(self, without_key: int = 3, with_key: int = 10) -> None:
        self._limits = (without_key, with_key)
        self._arrivals: dict[str, deque[float]] = {}

    def count(self, who: str, now: float, *, has_key: bool) -> Allowance:
        """Count a request that arrived at `now` (monotonic seconds); the order does not matter."""
        arrivals = self._arrivals.setdefault(who, deque())
        insort(arrivals, now)
        while arrivals[0] <= arrivals[-1] - 1.0:
            arrivals.popleft()
        return Allowance(len(arrivals), self._limits[has_key])
