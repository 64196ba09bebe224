"""The engine's main loop: wait for a permit, take a batch, send it, deliver its answer.

One loop paces the requests and starts a task for each. Other modules decide: what to send next
(`frontier`), how to retry (`retry`), whether the server or a UID is at fault (`outage`), when to
send (`off_peak`), and how many requests the server can handle (`flow`).
"""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress
from typing import TYPE_CHECKING

from harvester import events
from harvester.client.backoff import LIMITER_SECONDS, limiter_event, outage_event, probe_delays
from harvester.engine.heartbeat import Heartbeat
from harvester.engine.off_peak import Hours, utc_now
from harvester.engine.outage import CircuitBreaker, Suspect
from harvester.engine.worker import Worker
from harvester.errors import HarvestError, RateLimited, WindowClosed, not_answering
from harvester.model.uids import as_array, as_set
from harvester.wording import window_closed

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from harvester.client.client import Client
    from harvester.client.pacing.limiter import Permit
    from harvester.engine.flow import Flow
    from harvester.engine.frontier import Frontier
    from harvester.engine.results import Results
    from harvester.engine.witnesses import Probe
    from harvester.eutils.question import Question
    from harvester.model.batch import Batch
    from harvester.model.uids import UidSet

DRAIN_SECONDS = 10.0
"""Seconds to wait for requests in flight once a run is asked to stop."""

_NAP_SECONDS = 60.0  # seconds of the longest sleep
_LIMITS: dict[str, events.Limit] = {
    "server": "server", "memory": "disk", "concurrency": "concurrency",
}  # fmt: skip
_LOOK_SECONDS = 0.01  # seconds between checks for room in memory


class Engine:
    """Sends requests until every UID of the frontier is settled.

    Args:
        client: sends at the permitted rate.
        question: makes the request for each batch.
        frontier: the UIDs to ask for.
        results: takes answers and failures.
        flow: how many requests may be in flight, and UIDs of the next batch.
        hours: when to send.
        pending: returns the bytes of answers that are not on disk yet.
        emit: receives every event.
        known: UIDs answered in earlier runs.
        give_up_after: seconds without an answer after which the run ends; None for never.
    """

    def __init__(
        self,
        *,
        client: Client,
        question: Question,
        frontier: Frontier,
        results: Results,
        flow: Flow,
        hours: Hours,
        pending: Callable[[], int],
        emit: events.Listener,
        known: UidSet,
        give_up_after: float | None = None,
    ) -> None:
        self._client = client
        self._frontier = frontier
        self._flow = flow
        self._hours = hours
        self._pending = pending
        self._emit = emit
        self._give_up_after = math.inf if give_up_after is None else give_up_after
        self._breaker = CircuitBreaker(known)
        self._heartbeat = Heartbeat(self._report_limit)
        self._worker = Worker(
            client=client,
            question=question,
            results=results,
            breaker=self._breaker,
            flow=flow,
            heartbeat=self._heartbeat,
            emit=emit,
            halt=self.halt,
        )
        self._sender: asyncio.Task[None] | None = None
        self._in_flight: set[asyncio.Task[object]] = set()
        self._changed = asyncio.Event()
        self._halted: HarvestError | None = None
        self._limit = events.LimitChanged("rate")
        self._limiter_away = False
        self._loop = asyncio.get_running_loop()

    def __repr__(self) -> str:
        """Show the frontier, the requests in flight and the circuit breaker."""
        return f"Engine({self._frontier!r}, {len(self._in_flight)} in flight, {self._breaker!r})"

    async def run(self, tasks: asyncio.TaskGroup) -> None:
        """Send all requests; each is a task of the given group.

        Raises:
            HarvestError: the run ended early: WindowClosed, Refused, GaveUp, or what `halt` was
                given. What was answered by then has been delivered.
        """
        with self._heartbeat.beating():
            self._sender = tasks.create_task(self._send_all(tasks))
            try:
                await asyncio.wait([self._sender])
            except asyncio.CancelledError:
                self.halt(HarvestError("cancelled"))
                raise
            if not self._sender.cancelled():
                self._sender.result()
            await self._drain()
        if self._halted is not None:
            raise self._halted

    def halt(self, why: HarvestError) -> None:
        """Send nothing more; wait some seconds for requests in flight, then end the run."""
        self._halted = self._halted or why
        if self._sender is not None:
            self._sender.cancel()

    def feed(self, todo: UidSet) -> None:
        """Add UIDs while running."""
        self._frontier.feed(todo)
        self._changed.set()

    def keep_hours(self, hours: Hours) -> None:
        """Replace the hours: the input turned out to be larger than a small job."""
        self._hours = hours

    def end_feed(self) -> None:
        """Mark the input as complete."""
        self._frontier.end()
        self._changed.set()

    # --- sending ------------------------------------------------------------------------------

    async def _send_all(self, tasks: asyncio.TaskGroup) -> None:
        """Start requests one by one until all UIDs are settled, or until cancelled by `halt`."""
        while self._halted is None:
            now = self._loop.time()
            ready_at = self._frontier.ready_at(now)
            is_ready = ready_at is not None and ready_at <= now
            idle = not self._in_flight and not is_ready
            if ready_at is None and idle and self._frontier.fed and not self._breaker.holds:
                break
            if self._hours.closed:
                await self._wait_for_hours()
            elif self._breaker.is_open:
                await self._wait_out_outage()
            elif not self._has_room():
                await self._sleep(_LOOK_SECONDS if is_ready or idle else None)
            elif trial := self._breaker.next_trial(idle=idle):
                await self._send_trial(trial, tasks)
            elif is_ready:
                permit = await self._client.permit()
                if self._hours.closed:  # the hours ended during the wait for the permit
                    continue
                batch = self._frontier.take(self._loop.time(), self._batch_size)
                if batch is not None:
                    self._start(self._worker.send(batch, permit), tasks)
            else:
                await self._sleep(None if ready_at is None else max(ready_at - now, _LOOK_SECONDS))

    async def _send_trial(self, trial: Suspect | Probe, tasks: asyncio.TaskGroup) -> None:
        """Send a failed batch again, or the control request beside it."""
        permit = await self._client.permit()
        if isinstance(trial, Suspect):
            self._start(self._worker.send(trial.batch, permit), tasks)
        else:
            self._start(self._control(trial, permit), tasks)

    async def _control(self, probe: Probe, permit: Permit) -> bool | None:
        """Return whether a probe is answered; None if it met the rate limit."""
        with suppress(RateLimited):
            return await self._worker.control(self._batch_of(probe), permit)
        return None

    def _batch_of(self, probe: Probe) -> Batch | None:
        """Return the batch that a probe requests; None for EInfo."""
        if probe.uid is None:
            return None
        return self._frontier.batch(as_array(as_set([probe.uid])))

    def _report_limit(self) -> None:
        """Emit an event if the cause that limits the harvest has changed."""
        self._check_limiter()
        limit = _LIMITS.get(self._flow.limited_by, "rate")
        found = events.LimitChanged(limit, self._client.others, self._client.is_slowed)
        if found != self._limit:
            self._limit = found
            self._emit(found)

    def _check_limiter(self) -> None:
        """Emit an event while the shared rate limit does not answer; give up in the end."""
        reason, seconds = self._client.limit_outage
        if not reason:
            if self._limiter_away:
                self._worker.answered_at = self._loop.time()  # nothing could be answered meanwhile
                self._emit(events.Resumed())
            self._limiter_away = False
        elif seconds > self._give_up_after:
            self.halt(not_answering("The shared rate limit", reason))
        elif seconds > LIMITER_SECONDS and not (self._limiter_away or self._hours.closed):
            self._limiter_away = True
            self._emit(limiter_event(reason))

    def _batch_size(self, fresh: int) -> int:
        return self._flow.batch_size(fresh, self._loop.time())

    def _has_room(self) -> bool:
        return self._flow.may_send(self._loop.time(), self._pending())

    def _start(self, work: Coroutine[None, None, object], tasks: asyncio.TaskGroup) -> None:
        task = tasks.create_task(work)
        self._in_flight.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[object]) -> None:
        """Wake the sender after the task has ended; before, it would still count it."""
        self._in_flight.discard(task)
        self._changed.set()

    async def _sleep(self, seconds: float | None) -> None:
        """Sleep until something changes, or for some seconds."""
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds or _NAP_SECONDS, _NAP_SECONDS)):
                await self._changed.wait()

    async def _drain(self) -> None:
        if self._in_flight:
            _, late = await asyncio.wait(self._in_flight, timeout=DRAIN_SECONDS)
            for task in late:
                task.cancel()

    # --- waiting ------------------------------------------------------------------------------

    async def _wait_out_outage(self) -> None:
        """Send probes at growing intervals until one is answered."""
        announced = False
        for usual, is_outage in probe_delays():
            delay = max(usual, self._breaker.retry_after or 0.0)
            if self._loop.time() + delay - self._worker.answered_at > self._give_up_after:
                reason = self._breaker.reason
                self.halt(not_answering(self._client.base_url, reason))
                return
            if is_outage:
                self._emit(outage_event(delay, self._breaker.reason, utc_now()))
                announced = True
            await self._pause(delay)
            if self._hours.closed:
                return
            if await self._is_answered():
                break
            await asyncio.sleep(0)  # leave here if that refusal was the last
            if self._breaker.unreadable:
                self._frontier.change_form()
        self._breaker.close()
        if announced:
            self._emit(events.Resumed())

    async def _is_answered(self) -> bool:
        """Return whether a probe is answered; a 429 shows nothing, so the probe is repeated."""
        while True:
            probe = self._breaker.probe(fresh=self._frontier.fresh > 0)
            permit = await self._client.permit()
            if probe.fresh and (batch := self._frontier.take_fresh()) is not None:
                return await self._worker.send(batch, permit)
            answered = await self._control(probe, permit)
            if answered is not None:
                return answered

    async def _wait_for_hours(self) -> None:
        opens_at = self._hours.opens_at()
        if self._hours.leave:
            self.halt(WindowClosed(window_closed(opens_at)))
            return
        self._emit(events.Waiting("hours", opens_at))
        while self._hours.closed:
            left = (self._hours.opens_at() - self._hours.clock()).total_seconds()
            await self._sleep(max(left, _LOOK_SECONDS))
        self._worker.answered_at = self._loop.time()  # nothing could be answered meanwhile
        self._emit(events.Resumed())

    async def _pause(self, seconds: float) -> None:
        until = self._loop.time() + seconds
        while (left := until - self._loop.time()) > 0:
            await self._sleep(left)
