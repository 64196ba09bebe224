"""The page where the path is joined: take a permit, take a batch, ask, deliver what was answered.

One loop paces the requests and starts a task for each, so that as many are in flight as rate and
latency make it. Everything is decided elsewhere: what to ask next (`frontier`), what follows from
a failure (`verdict`), whether the server or a UID is to blame (`outage`), when to ask (`hours`).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from harvester import events
from harvester.engine.off_peak import utc_now
from harvester.engine.outage import probe_delays
from harvester.engine.retry import Retry
from harvester.engine.worker import Asker
from harvester.errors import (
    HarvestError,
    RateLimited,
    RequestFailed,
    WindowClosed,
)
from harvester.model.uids import as_array
from harvester.wording import off_peak

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.client.client import Client
    from harvester.client.pacing.limiter import Permit
    from harvester.engine.batch_size import BatchSize
    from harvester.engine.frontier import Frontier
    from harvester.engine.off_peak import Hours
    from harvester.engine.results import Settling
    from harvester.eutils.question import Question
    from harvester.model.uids import UidSet

DRAIN_SECONDS = 10.0
"""How long answers in flight are awaited once a run is asked to stop."""

_NAP_SECONDS = 60.0  # the clock is looked at so often while waiting: the machine may have slept


class Engine:
    """Asks until every UID of the frontier is settled.

    Args:
        client: asks, at the server's pace.
        question: what to ask about each batch.
        frontier: what is to be asked.
        settling: what becomes of answers and failures.
        size: UIDs for the next batch.
        hours: when to ask.
        concurrency: most requests in flight.
        full: whether whoever takes what is settled has too much on hand.
        emit: told of everything that happens.
        known: UIDs answered in earlier runs; one of them serves as control question.
    """

    def __init__(
        self,
        *,
        client: Client,
        question: Question,
        frontier: Frontier,
        settling: Settling,
        size: BatchSize,
        hours: Hours,
        concurrency: int,
        full: Callable[[], bool],
        emit: events.Listener,
        known: UidSet,
    ) -> None:
        self._client = client
        self._frontier = frontier
        self._settling = settling
        self._size = size
        self._hours = hours
        self._concurrency = concurrency
        self._full = full
        self._emit = emit
        self._asker = Asker(client, question, settling, size, emit, self.halt)
        self._asker.control = as_array(known[:1])
        self._pacer: asyncio.Task[None] | None = None
        self._asking: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._halted: HarvestError | None = None
        self._loop = asyncio.get_running_loop()

    # --- the pace ---------------------------------------------------------------------------

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Ask for everything; requests are tasks of the given group.

        Raises:
            HarvestError: the run ended before its end: WindowClosed, Refused, or what `halt`
                was given. What was answered by then has been delivered.
        """
        self._pacer = tasks.create_task(self._pace(tasks))
        try:
            await asyncio.wait([self._pacer])
        except asyncio.CancelledError:
            self.halt(HarvestError("cancelled"))
            raise
        if not self._pacer.cancelled():
            self._pacer.result()
        await self._drain()
        if self._halted is not None:
            raise self._halted

    async def _pace(self, tasks: asyncio.TaskGroup) -> None:
        """Start requests one by one until nothing is left to ask, or until cancelled by `halt`."""
        while self._halted is None:
            now = self._loop.time()
            ready_at = self._frontier.ready_at(now)
            idle = not self._asking and (ready_at is None or ready_at > now)
            if ready_at is None and idle and self._frontier.fed and not self._asker.suspects.held:
                break
            if self._hours.closed:
                await self._wait_for_hours()
            elif self._asker.suspects.need_control(idle=idle):
                await self._find_fault()
            elif ready_at is not None and ready_at <= now and self._has_room():
                self._send(await self._client.permit(), tasks)
            else:
                await self._sleep(None if ready_at is None else max(ready_at - now, 0.01))

    def halt(self, why: HarvestError) -> None:
        """Ask nothing more; what is in flight is awaited for a while, then the run ends."""
        self._halted = self._halted or why
        if self._pacer is not None:
            self._pacer.cancel()

    def feed(self, todo: UidSet) -> None:
        """More to ask for, while running."""
        self._frontier.feed(todo)
        self._changed.set()

    def end_feed(self) -> None:
        """Nothing more will be fed."""
        self._frontier.end()
        self._changed.set()

    def _has_room(self) -> bool:
        return len(self._asking) < self._concurrency and not self._full()

    def _send(self, permit: Permit, tasks: asyncio.TaskGroup) -> None:
        if self._halted is not None:
            return
        batch = self._frontier.take(self._loop.time(), self._size.cut)
        if batch is not None:
            task = tasks.create_task(self._asker.ask(batch, permit))
            self._asking.add(task)
            task.add_done_callback(self._asked)

    def _asked(self, task: asyncio.Task[None]) -> None:
        """Wake the loop only now: it would still count a task that has not quite ended."""
        self._asking.discard(task)
        self._changed.set()

    async def _sleep(self, seconds: float | None) -> None:
        """Until something changed, or for some seconds; at most for a nap."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds or _NAP_SECONDS, _NAP_SECONDS)):
                await self._changed.wait()

    async def _drain(self) -> None:
        if self._asking:
            _, late = await asyncio.wait(self._asking, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()

    # --- whose fault ------------------------------------------------------------------------

    async def _find_fault(self) -> None:
        """Ask control questions, ever more seldom, until one is answered.

        If that was soon, the server is well and the suspects are charged; if it took longer,
        there was an outage, and they are asked again as if for the first time.
        """
        for delay, outage in probe_delays():
            if outage:
                self._announce(delay)
            await self._pause(delay)
            if self._hours.closed:
                return
            if await self._control_answers():
                break
            await asyncio.sleep(0)  # leave here if that refusal was the last
        suspects = self._asker.suspects.release()
        if outage:
            self._emit(events.Resumed())
            for batch, failure in suspects:
                self._settling.again([Retry(batch, 0.0)], failure.reason)
        else:
            for batch, failure in suspects:
                self._settling.judge(batch, failure)

    async def _control_answers(self) -> bool:
        """Whether the server is well; a 429 tells nothing, so that it is asked again."""
        while True:
            with suppress(RateLimited):
                return await self._ask_control()

    async def _ask_control(self) -> bool:
        """Whether the server answers for a UID that it answered before, or else for a new one.

        If there is neither, one of those that failed is asked for alone, and at last EInfo.
        """
        known = self._asker.control
        fresh = None if len(known) else self._frontier.take_fresh()
        if fresh is not None:
            control = fresh
        elif len(known):
            control = self._frontier.batch(known)
        elif (witness := self._asker.suspects.witness()) is not None:
            control = self._frontier.batch(witness)
        else:
            return await self._asker.ping()
        permit = await self._client.permit()
        asked_at = self._loop.time()
        try:
            answer, body = await self._asker.attempt(control, permit)
        except RequestFailed as failure:
            if fresh:
                self._settling.again([Retry(fresh, 0.0)], failure.reason)
            if isinstance(failure, RateLimited):
                raise
            return False
        if fresh:
            self._asker.take(fresh, answer, body, asked_at)
        if len(answer.answered):
            self._asker.control = answer.answered[:1]
        return bool(len(answer.answered))

    def _announce(self, delay: float) -> None:
        reason = (
            self._asker.suspects.held[-1][1].reason if self._asker.suspects.held else "no answer"
        )
        until = utc_now() + timedelta(seconds=delay)
        self._emit(events.Waiting("outage", until, reason, delay))

    # --- when -------------------------------------------------------------------------------

    async def _wait_for_hours(self) -> None:
        opens_at = self._hours.opens_at()
        if self._hours.leave:
            self.halt(WindowClosed(off_peak(opens_at)))
            return
        self._emit(events.Waiting("hours", opens_at))
        while self._hours.closed:
            left = (self._hours.opens_at() - self._hours.clock()).total_seconds()
            await self._sleep(max(left, 0.01))
        self._emit(events.Resumed())

    async def _pause(self, seconds: float) -> None:
        until = self._loop.time() + seconds
        while (left := until - self._loop.time()) > 0:
            await self._sleep(left)
