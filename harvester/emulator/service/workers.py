"""Pool of workers in real time, on the event loop."""

from __future__ import annotations

import asyncio
import math
import time
from typing import TYPE_CHECKING

from harvester.emulator.service.capacity import Capacity
from harvester.emulator.service.pool import Pool

if TYPE_CHECKING:
    from harvester.emulator.log import Entry, RequestLog
    from harvester.emulator.service.pool import Job


class QueueFullError(Exception):
    """No worker is free and the queue has no place left."""


class Workers:
    """Workers that serve requests, each for its service time.

    A request whose client has hung up keeps its place in the queue and its worker for the whole
    service time, as at a server that does not notice it.

    Args:
        log: gets the times of every service.
        workers: see `Capacity.read`.
        queue: requests that may wait; None is no limit.
    """

    def __init__(
        self, log: RequestLog, workers: int | str | None = None, queue: int | None = None
    ) -> None:
        self._log = log
        self._pool: Pool[tuple[Entry, asyncio.Future[None]]] = Pool(
            Capacity.read(workers), queue, time.monotonic()
        )
        self._timer: asyncio.TimerHandle | None = None

    async def serve(self, entry: Entry, seconds: float) -> None:
        """Wait until a worker has spent the service time on a request.

        Raises:
            QueueFullError: the request was not accepted.
        """
        self._advance()
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        job = self._pool.submit((entry, done), seconds, time.monotonic())
        if job is None:
            raise QueueFullError
        entry.service = seconds
        entry.began = job.began
        self._advance()
        if not done.done():
            await done

    def lose_all(self, fault: str) -> None:
        """Lose all requests that are served or wait, as a server that restarts does."""
        for job in self._pool.clear(time.monotonic()):
            job.request[0].fault = fault
            self._settle(job)
        self._cancel_timer()

    def close(self) -> None:
        """Stop, and log the requests that are still served for clients that have hung up."""
        self._cancel_timer()
        for job in self._pool.clear(time.monotonic()):
            entry, done = job.request
            entry.began = job.began
            if done.cancelled():
                self._log.write(entry)

    def _advance(self) -> None:
        """Bring the pool to the present and set the timer for its next event."""
        for job in self._pool.advance(time.monotonic()):
            self._settle(job)
        self._cancel_timer()
        event = self._pool.next_event()
        if event is not None and event < math.inf:
            delay = max(event - time.monotonic(), 0.0)
            self._timer = asyncio.get_running_loop().call_later(delay, self._advance)

    def _settle(self, job: Job[tuple[Entry, asyncio.Future[None]]]) -> None:
        entry, done = job.request
        entry.began, entry.ended = job.began, job.ended
        if done.cancelled():
            self._log.write(entry)
        elif entry.fault:
            done.cancel()
        elif not done.done():
            done.set_result(None)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
