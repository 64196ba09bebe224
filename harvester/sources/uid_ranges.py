"""Where to cut a set of records into ranges of UIDs that one answer holds each.

Only counts are known: how many records lie between two UIDs. The next range is as wide as the last
one suggests; where that held too much or hardly anything, a line through what is known says how
wide, and where the line misleads as well, halves take its place. So a set that is spread evenly
costs hardly more requests than it has full answers, any other a bisection for each at most.
"""

from __future__ import annotations

from itertools import pairwise

from harvester.model.uids import MAX_UID

FULL = 0.92
"""Part of a full answer that a range aims at: evenly spread records seldom stray by more."""

_THIN = 0.25
"""Part of what was aimed at, below which a range has misled."""

_FARTHER = 16
"""By how much the end moves on while records are missing."""


class Slices:
    """Ranges of UIDs, from 1 upwards without a gap, each the next to ask about.

    Args:
        count: records in all.
        high: a UID that all records lie below, so far as is known.
        most: records that one answer holds.
    """

    def __init__(self, count: int, high: int, most: int) -> None:
        self._left = count  # records not found yet
        self._high = high
        self._most = most
        self._goal = max(int(most * FULL), 1)  # records of a range
        self._low = 1  # all below it were found
        self._known: list[tuple[int, int]] = []
        # ^ UIDs, ascending, and how many records lie from `low` to each: of use to guess by alone.
        self._width = self._found = 0  # UIDs and records of the range found last
        self._misled = 0  # ranges in a row that held too much (above 0), or little (below 0)

    def next(self) -> tuple[int, int] | None:
        """The range to ask about next, both ends included; None when all are found."""
        if self._low > self._high:  # some lie higher than was thought
            self._high = min(self._high * _FARTHER, MAX_UID)
        if self._left <= 0 or self._low > self._high:
            return None
        points = [(self._low - 1, 0), *self._known, (self._high, self._left)]
        sure = max(at for at, count in points if count <= self._most)
        # The last UID that may end a range: one measured to be too far is, the guessed end is not.
        last = min((at - 1 for at, count in self._known if count > self._most), default=self._high)
        middle = (self._low + last) // 2
        cut = self._as_before() or self._where_full(points)
        if self._misled > 1:
            cut = min(cut, middle)
        elif self._misled < 0:
            wide = self._low + 2 * self._width - 1
            cut = max(cut, last if wide >= last == self._high else min(wide, middle))
        return self._low, max(self._low, min(max(cut, sure), last))

    def answered(self, high: int, count: int) -> bool:
        """Take in how many records lie from the last range's beginning to its end, `high`.

        Returns:
            Whether one answer holds them; the next range begins behind them then.
        """
        if count > self._most:
            self._known = sorted([*self._known, (high, count)])
            self._left = max(self._left, count)  # records appear while they are counted
            self._misled = max(self._misled, 0) + 1
            return False
        thin = count < self._goal * _THIN
        self._misled = min(self._misled, 0) - 1 if thin else 0
        self._width, self._found = high - self._low + 1, count
        self._low = high + 1
        self._left -= count
        self._known = [(at, known - count) for at, known in self._known if at > high]
        return True

    def _as_before(self) -> int | None:
        """The UID at which an answer is full, if records go on as in a range that went well."""
        if self._misled or not self._found:
            return None
        return self._low + self._width * self._goal // self._found - 1

    def _where_full(self, points: list[tuple[int, int]]) -> int:
        """The UID at which the line through some points reaches a full answer."""
        for (start, below), (end, upto) in pairwise(points):
            if upto > self._goal:
                return start + (end - start) * max(self._goal - below, 0) // max(upto - below, 1)
        return points[-1][0]
