"""The number of requests that the server accepts at a time. Pure: no clock, no loop."""

from __future__ import annotations

import math

_LONGEST_REST = 64  # factor of the ceiling: answers before one more request is tried
_GROWTH = 4  # growth of the pause, each time that one more is refused
_STEP = 8  # one more, or an eighth more of a high ceiling


class Ceiling:
    """The most requests in flight that the server has not refused.

    One refusal may be chance. Two count if no request with as many others in flight was answered
    between them; then no more are sent than the server accepted. This becomes the ceiling once an
    older request is answered: a server that refuses everything has no known ceiling. After a pause,
    counted in answers, one more is tried.
    """

    def __init__(self) -> None:
        self._most = math.inf
        self._once = -1  # requests in flight beside one that was refused
        self._held = math.inf  # the same, after two refusals
        self._newest = 0  # number of a refused request
        self._rest = 1
        self._left = 0  # answers until one more is tried, or counts as accepted
        self._trying = False

    def __repr__(self) -> str:
        """Show the ceiling."""
        return f"Ceiling({self.most:g})"

    @property
    def most(self) -> float:
        """Requests that may be in flight."""
        return max(1.0, min(self._most, self._held))

    def refused(self, number: int, in_flight: int) -> None:
        """Record a refusal.

        Args:
            number: of the request, in the order of sending.
            in_flight: requests in flight as it was sent, itself included.
        """
        others = in_flight - 1
        self._newest = max(self._newest, number)
        if others <= self._once or (self._trying and others >= self._most - 1):
            self._held = min(self._held, others)
        self._once = others

    def answered(self, number: int, in_flight: int) -> None:
        """Record an answer.

        Args:
            number: of the request, in the order of sending.
            in_flight: requests in flight as it was sent, itself included.
        """
        if in_flight > self._once:
            self._once = -1
        if self._held < math.inf:
            if number < self._newest and self._held <= self._most:
                self._rest = min(_GROWTH * self._rest, _LONGEST_REST) if self._trying else 1
                self._most = max(1.0, self._held)
                self._left = self._rest * int(self._most)
                self._trying = False
            self._held = math.inf
        elif self._most < math.inf:
            self._left -= 1
            if self._left <= 0:
                self._most += max(1, self._most // _STEP)
                self._left = int(self._most)
                self._trying = True
