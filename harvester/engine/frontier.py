"""The frontier: UIDs to request, and batches to retry at a later time."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from harvester.model.batch import Batch, other_form
from harvester.model.uids import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.engine.retry import Retry
    from harvester.model.batch import Retmode
    from harvester.model.uids import UidArray, UidSet


class Frontier:
    """Fresh UIDs and batches to retry. It has no clock: `now` is passed in.

    Args:
        todo: UIDs not yet requested in this run.
        retmode: response format for fresh UIDs and probes, until `change_form`.
        fed: whether these are all; otherwise more UIDs arrive until `end` is called.
    """

    def __init__(self, todo: UidSet, retmode: Retmode, *, fed: bool = True) -> None:
        self._fresh = Cursor(todo)
        self._retmode: Retmode = retmode
        self.fed = fed
        self._again: list[tuple[float, int, Batch]] = []
        self._order = count()

    def __repr__(self) -> str:
        """Show the number of fresh UIDs and of batches to retry."""
        return f"Frontier({len(self._fresh)} fresh, {len(self._again)} batches again)"

    @property
    def fresh(self) -> int:
        """Number of UIDs never requested."""
        return len(self._fresh)

    def change_form(self) -> None:
        """Request the other response format from now on."""
        self._retmode = other_form(self._retmode)

    def feed(self, todo: UidSet) -> None:
        """Add UIDs never requested."""
        self._fresh = Cursor(self._fresh.rest() | todo)

    def end(self) -> None:
        """Mark the input as complete."""
        self.fed = True

    def put(self, retry: Retry, now: float) -> None:
        """Add a batch to be retried after its delay."""
        heappush(self._again, (now + retry.delay, next(self._order), retry.batch))

    def ready_at(self, now: float) -> float | None:
        """Return when the next batch can be taken: `now`, a later time, or None for never."""
        if self._fresh:
            return now
        return max(self._again[0][0], now) if self._again else None

    def take(self, now: float, size: Callable[[int], int]) -> Batch | None:
        """Return the next batch: one whose delay is over, else fresh UIDs.

        Args:
            now: the time.
            size: returns how many fresh UIDs to take at most, given how many are left.
        """
        if self._again and self._again[0][0] <= now:
            return heappop(self._again)[2]
        if self._fresh:
            return self.batch(self._fresh.take(size(len(self._fresh))))
        return None

    def take_fresh(self) -> Batch | None:
        """Return one UID never requested, as a batch."""
        return self.batch(self._fresh.take(1)) if self._fresh else None

    def batch(self, uids: UidArray) -> Batch:
        """Return UIDs as a new batch."""
        return Batch(uids, self._retmode)
