"""The number of workers over time."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_SPAN = re.compile(r"(\d+)@(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Capacity:
    """A number of workers, and periods in which there are more or fewer of them.

    Attributes:
        workers: outside all periods; `math.inf` serves every request at once.
        periods: (workers, from, to) in seconds after the start; `to` is outside. Where periods
            overlap, the last one counts.
    """

    workers: float = math.inf
    periods: tuple[tuple[int, float, float], ...] = ()

    @classmethod
    def read(cls, spelling: int | str | None) -> Capacity:
        """Return the capacity of a spelling.

        Args:
            spelling: `16`, or `16,4@60-360` for 16 workers that are 4 from second 60 to 360;
                None is no limit.

        Raises:
            ValueError: the spelling is none of these.
        """
        if spelling is None:
            return cls()
        first, *rest = str(spelling).replace(" ", "").split(",")
        spans = [_SPAN.fullmatch(part) for part in rest]
        periods = tuple((int(s[1]), float(s[2]), float(s[3])) for s in spans if s is not None)
        sound = all(first < last for _, first, last in periods)
        if not (first.isascii() and first.isdigit() and sound and len(periods) == len(rest)):
            raise ValueError(
                f"{spelling!r} is not a number of workers. Give N, such as 16, or"
                " N,M@FROM-TO in seconds after the start, such as 16,4@60-360."
            )
        return cls(int(first), periods)

    def at(self, second: float) -> float:
        """Return the number of workers at a time, in seconds after the start."""
        workers = self.workers
        for number, first, last in self.periods:
            if first <= second < last:
                workers = number
        return workers

    def next_change(self, second: float) -> float:
        """Return the first time after `second` at which the capacity may change; else `inf`."""
        bounds = [bound for _, first, last in self.periods for bound in (first, last)]
        return min((bound for bound in bounds if bound > second), default=math.inf)
