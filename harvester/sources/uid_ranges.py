"""Divide a set of records into ranges of UIDs that each fit into one answer.

Only counts are known: how many records lie between two UIDs. `next_range` guesses a range that
fills most of one answer, and `Known.with_count` adds the count that the server gave for it. The
guesses, in the order in which they are tried:

1. As wide as the last range, scaled to a full answer.
2. If that held too many records or far too few: interpolate between the counts that are known.
3. If interpolation held too many as well: at most half of what is left.
   If it held too few again: at least twice the last range.

Evenly spread records cost about as many requests as they fill answers. Any other set costs at most
a bisection per answer.

Example:
    1,000 records, at most 100 per answer, the last at or below UID 10,000. Nine of ten lie above
    9,000, which is not known beforehand. Each line is one request, with the records it counted:

    >>> records = [*range(10, 9001, 90), *range(9001, 9901)]
    >>> known = Known(left=1000, high=10_000, most=100)
    >>> while (bounds := next_range(known)) is not None:
    ...     count = sum(bounds.low <= uid <= bounds.high for uid in records)
    ...     print(f"{bounds.low:5} to {bounds.high:5}: {count:3}")
    ...     known = known.with_count(bounds, count)
        1 to   920:  11
      921 to  2760:  20
     2761 to  6380:  40
     6381 to 10000: 929
     6381 to  6738:   4
     6739 to  7454:   8
     7455 to  8727:  14
     8728 to  9363: 366
     8728 to  8886:   2
     8887 to  9124: 125
     8887 to  9061:  62
     9062 to  9320: 259
     9062 to  9153:  92
     9154 to  9245:  92
     9246 to  9337:  92
     9338 to  9429:  92
     9430 to  9521:  92
     9522 to  9613:  92
     9614 to  9705:  92
     9706 to  9797:  92
     9798 to  9889:  92
     9890 to 10000:  11

    The first range would fill 92 % of an answer if the records were spread evenly. It holds too
    few, so each following range is at least twice as wide, until one holds too many (929) and is
    divided. Once a range fits (62), the counts around it tell how dense the records are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from harvester.model.uids import MAX_UID

FULL = 0.92
"""Share of a full answer that a range aims at. Counts of evenly spread records rarely exceed it."""

_THIN = 0.25
"""Share of the records aimed at, below which a range held too few."""

_EXTEND = 16
"""Factor by which the end moves up while records are missing."""


class Range(NamedTuple):
    """UIDs from `low` to `high`, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Known:
    """Counts that the server gave so far.

    Attributes:
        left: Records not found yet.
        high: UID that all records lie at or below, as far as is known.
        most: Records per answer.
        low: First UID that no range covers yet.
        counts: UIDs that ended a range with too many records, ascending, each with the number of
            records from `low` to it.
        last: Width in UIDs of the last range that fitted into an answer, and its records.
        too_full: Ranges in a row that held more than one answer.
        too_thin: Ranges in a row that held far fewer records than they aimed at.
    """

    left: int
    high: int
    most: int
    low: int = 1
    counts: tuple[tuple[int, int], ...] = ()
    last: tuple[int, int] = (0, 0)
    too_full: int = 0
    too_thin: int = 0

    @property
    def goal(self) -> int:
        """Records that a range aims at."""
        return max(int(self.most * FULL), 1)

    def with_count(self, bounds: Range, count: int) -> Known:
        """Add the number of records in the range that `next_range` returned.

        A range with more records than an answer holds stays to be divided. Any other is done: the
        next range begins behind it.
        """
        if count > self.most:
            return replace(
                self,
                counts=tuple(sorted([*self.counts, (bounds.high, count)])),
                left=max(self.left, count),  # records appear while they are counted
                too_full=self.too_full + 1,
                too_thin=0,
            )
        low, high = bounds.high + 1, self.high
        if low > high:  # some records lie higher than was known
            high = min(high * _EXTEND, MAX_UID)
        return replace(
            self,
            left=self.left - count,
            high=high,
            low=low,
            counts=tuple((at, upto - count) for at, upto in self.counts if at > bounds.high),
            last=(bounds.high - bounds.low + 1, count),
            too_full=0,
            too_thin=self.too_thin + 1 if count < self.goal * _THIN else 0,
        )


def next_range(known: Known) -> Range | None:
    """Return the range to count next; None when all records are found."""
    low, high = known.low, known.high
    if known.left <= 0 or low > high:
        return None
    points = [(low - 1, 0), *known.counts, (high, known.left)]
    # A range up to here is known to fit into one answer.
    fits = max(at for at, count in points if count <= known.most)
    # A UID that ended a range with too many records must not end one again; `high` may.
    last = min((at - 1 for at, count in known.counts if count > known.most), default=high)
    middle = (low + last) // 2
    cut = _scale_last(known) or _interpolate(known, points)
    if known.too_full > 1:
        cut = min(cut, middle)
    elif known.too_thin:
        double = low + 2 * known.last[0] - 1
        cut = max(cut, last if double >= last == high else min(double, middle))
    return Range(low, max(low, min(max(cut, fits), last)))


def _scale_last(known: Known) -> int | None:
    """Return the UID at which an answer is full at the density of the last range."""
    width, found = known.last
    if known.too_full or known.too_thin or not found:
        return None
    return known.low + width * known.goal // found - 1


def _interpolate(known: Known, points: list[tuple[int, int]]) -> int:
    """Return the UID at which linear interpolation of the counts reaches a full answer."""
    for (start, below), (end, upto) in pairwise(points):
        if upto > known.goal:
            return start + (end - start) * max(known.goal - below, 0) // max(upto - below, 1)
    return points[-1][0]
