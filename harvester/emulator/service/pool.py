"""Workers and their queue as a model in time, without a clock and without a loop."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from harvester.emulator.service.capacity import Capacity

T = TypeVar("T")


@dataclass(slots=True)
class Job(Generic[T]):
    """One request in service or waiting for it.

    Attributes:
        request: what the job belongs to.
        seconds: service time: how long a worker is busy with it.
        began: when its service began; None while it waits.
        ended: when its service ended, or when the server lost it; None before.
    """

    request: T
    seconds: float
    began: float | None = None
    ended: float | None = None


class Pool(Generic[T]):
    """Workers and a first-in-first-out queue.

    Times are those of the model: a service ends exactly `seconds` after it began, and the next one
    begins at that moment, however late `advance` is called. So a busy machine delays answers, but
    it does not change the capacity of the server.

    Args:
        capacity: workers over time, in seconds after `start`.
        queue: jobs that may wait; None is no limit.
        start: the time at which the capacity's seconds begin.
    """

    def __init__(self, capacity: Capacity, queue: int | None = None, start: float = 0.0) -> None:
        self._capacity = capacity
        self._queue = queue
        self._start = start
        self._now = start
        self._order = itertools.count()
        self._running: list[tuple[float, int, Job[T]]] = []
        self._waiting: deque[Job[T]] = deque()

    @property
    def running(self) -> int:
        """The number of busy workers."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """The length of the queue."""
        return len(self._waiting)

    def submit(self, request: T, seconds: float, now: float) -> Job[T] | None:
        """Begin to serve a request, or let it wait; None if the queue is full.

        Call `advance(now)` before, so that workers that are free count as free.
        """
        job = Job(request, seconds)
        self._now = max(self._now, now)
        if not self._waiting and self._has_free_worker():
            self._begin(job)
        elif self._queue is not None and len(self._waiting) >= self._queue:
            return None
        else:
            self._waiting.append(job)
        return job

    def advance(self, now: float) -> list[Job[T]]:
        """Move the model to `now` and return the jobs whose service has ended."""
        ended = []
        while (event := self.next_event()) is not None and event <= now:
            self._now = max(self._now, event)
            while self._running and self._running[0][0] <= self._now:
                due, _, job = heapq.heappop(self._running)
                job.ended = due
                ended.append(job)
            while self._waiting and self._has_free_worker():
                self._begin(self._waiting.popleft())
        self._now = max(self._now, now)
        return ended

    def next_event(self) -> float | None:
        """Return when the next service ends or a waiting job may begin; None if neither will."""
        events = [self._running[0][0]] if self._running else []
        if self._waiting:
            events.append(self._start + self._capacity.next_change(self._now - self._start))
        return min(events, default=None)

    def clear(self, now: float) -> list[Job[T]]:
        """Lose all jobs, as a server that crashes does, and return them."""
        lost = [*(job for _, _, job in self._running), *self._waiting]
        for job in lost:
            job.ended = now
        self._running.clear()
        self._waiting.clear()
        return lost

    def _has_free_worker(self) -> bool:
        return len(self._running) < self._capacity.at(self._now - self._start)

    def _begin(self, job: Job[T]) -> None:
        job.began = self._now
        heapq.heappush(self._running, (self._now + job.seconds, next(self._order), job))
