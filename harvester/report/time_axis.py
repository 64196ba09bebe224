"""A time axis that leaves out the times without a run: a harvest may take several nights."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEPS = (
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400,
)  # fmt: skip
"""Seconds between ticks, such that ticks lie on round times."""

_PAUSE = 3
"""Intervals without a run from which the axis is cut."""

_CUT = 0.012
"""Width of a cut as a share of the axis."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which runs were on, in seconds since 1970, and where it begins on the axis."""

    begin: float
    end: float
    place: float


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Places of moments on the axis, in seconds of run time.

    Attributes:
        stretches: in order of time.
        length: of the whole axis.
    """

    stretches: Sequence[Stretch]
    length: float

    @classmethod
    def of(cls, begins: Sequence[float], interval: float) -> TimeAxis:
        """Return the axis of some intervals.

        Args:
            begins: begins of the intervals, ascending; at least one.
            interval: their length.
        """
        spans: list[list[float]] = []
        for begin in begins:
            if spans and begin - spans[-1][1] < _PAUSE * interval:
                spans[-1][1] = begin + interval
            else:
                spans.append([begin, begin + interval])
        cut = _CUT * sum(end - begin for begin, end in spans)
        stretches, place = [], 0.0
        for begin, end in spans:
            stretches.append(Stretch(begin, end, place))
            place += end - begin + cut
        return cls(stretches, place - cut)

    def number(self, moment: float) -> int:
        """Return the number of the stretch of a moment, or of the last one before it."""
        return max(bisect_right([one.begin for one in self.stretches], moment) - 1, 0)

    def place(self, moment: float) -> float:
        """Return the place of a moment; one between two stretches is at the end of the first."""
        stretch = self.stretches[self.number(moment)]
        return stretch.place + min(max(moment, stretch.begin), stretch.end) - stretch.begin

    def cuts(self) -> list[float]:
        """Return the places at which time was left out."""
        return [
            (one.place + one.end - one.begin + following.place) / 2
            for one, following in zip(self.stretches, self.stretches[1:], strict=False)
        ]

    def ticks(self, most: int) -> dict[float, str]:
        """Return place → label of at most about `most` round times, in UTC.

        The first tick of each day is labelled with its date.
        """
        step = next((one for one in _STEPS if self.length / one <= most + 1), _STEPS[-1])
        while self.length / step > most + 1:
            step *= 2
        apart = self.length / most / 2
        found: dict[float, str] = {}
        last, day = -apart, ""
        for stretch in self.stretches:
            moment = -(-stretch.begin // step) * step
            while moment <= stretch.end:
                place = self.place(moment)
                if place - last >= apart:
                    at = datetime.fromtimestamp(moment, UTC)
                    date = f"{at:%b} {at.day}"
                    clock = f"{at:%H:%M:%S}" if step < 60 else f"{at:%H:%M}"
                    key = int(place) if place.is_integer() else min(round(place, 3), self.length)
                    found[key] = clock if date == day else f"{date}, {clock}"
                    last, day = place, date
                moment += step
        return found
