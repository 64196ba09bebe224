"""What is still to be asked: fresh UIDs, and batches whose time to be asked again will come."""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

from harvester.model.batch import Batch
from harvester.model.uids import Cursor

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.engine.retry import Retry
    from harvester.model.batch import Retmode
    from harvester.model.uids import UidArray, UidSet


class Frontier:
    """The work that is ready and the work that will be. No clock of its own: `now` is passed in.

    Args:
        todo: UIDs never asked for in this run.
        retmode: the form fresh UIDs are asked in.
        fed: whether these are all; else more come until `end` is called.
    """

    def __init__(self, todo: UidSet, retmode: Retmode, *, fed: bool = True) -> None:
        self._fresh = Cursor(todo)
        self._retmode: Retmode = retmode
        self.fed = fed
        self._again: list[tuple[float, int, Batch]] = []
        self._order = count()

    def __repr__(self) -> str:
        """For logs and tests."""
        return f"Frontier({len(self._fresh)} fresh, {len(self._again)} batches again)"

    @property
    def fresh(self) -> int:
        """UIDs never asked for."""
        return len(self._fresh)

    def feed(self, todo: UidSet) -> None:
        """Take more UIDs never asked for."""
        self._fresh = Cursor(self._fresh.rest() | todo)

    def end(self) -> None:
        """No more UIDs will be fed."""
        self.fed = True

    def put(self, retry: Retry, now: float) -> None:
        """Take a batch back, to be asked again after its delay."""
        heappush(self._again, (now + retry.delay, next(self._order), retry.batch))

    def ready_at(self, now: float) -> float | None:
        """When the next batch can be taken: `now`, a later time, or never (None)."""
        if self._fresh:
            return now
        return max(self._again[0][0], now) if self._again else None

    def take(self, now: float, size: Callable[[int], int]) -> Batch | None:
        """The next batch: one whose pause is over, else fresh UIDs.

        Args:
            now: the time.
            size: says how many fresh UIDs at most, given how many there are.
        """
        if self._again and self._again[0][0] <= now:
            return heappop(self._again)[2]
        if self._fresh:
            return self.batch(self._fresh.take(size(len(self._fresh))))
        return None

    def take_fresh(self) -> Batch | None:
        """One UID never asked for, alone."""
        return self.batch(self._fresh.take(1)) if self._fresh else None

    def batch(self, uids: UidArray) -> Batch:
        """UIDs as a batch that has not been through anything yet."""
        return Batch(uids, self._retmode)
