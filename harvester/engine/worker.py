"""One request, and what follows from its answer for its UIDs and for the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harvester import events
from harvester.engine.outage import EXCUSES, Suspect
from harvester.engine.retry import Retry, after_excuse, broken_part
from harvester.errors import BadInput, Fault, RateLimited, Refused, RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.client.client import Client
    from harvester.client.pacing.limiter import Permit
    from harvester.engine.batch_size import BatchSize
    from harvester.engine.heartbeat import Heartbeat
    from harvester.engine.outage import CircuitBreaker
    from harvester.engine.results import Results
    from harvester.errors import HarvestError
    from harvester.eutils.question import Question
    from harvester.model.answer import Answer
    from harvester.model.batch import Batch


class Worker:
    """Sends requests, and reports each to whoever decides: results, circuit breaker, batch size.

    Args:
        client: sends at the permitted rate.
        question: what to ask about each batch.
        results: takes answers and failures.
        breaker: judges failures.
        size: learns how batches of which size fare.
        heartbeat: knows when this process did not run.
        emit: receives every event.
        halt: ends the run if the server refuses us.

    Attributes:
        answered_at: loop time of the last answer; at first, of the start.
    """

    def __init__(
        self,
        *,
        client: Client,
        question: Question,
        results: Results,
        breaker: CircuitBreaker,
        size: BatchSize,
        heartbeat: Heartbeat,
        emit: events.Listener,
        halt: Callable[[HarvestError], None],
    ) -> None:
        self._client = client
        self._question = question
        self._results = results
        self._breaker = breaker
        self._size = size
        self._heartbeat = heartbeat
        self._emit = emit
        self._halt = halt
        self._loop = asyncio.get_running_loop()
        self.answered_at = self._loop.time()

    async def send(self, batch: Batch, permit: Permit) -> bool:
        """Send a batch, and settle it, put it back or hold it as a suspect.

        Returns:
            Whether the server answered at least one of its UIDs.
        """
        number, sent_at = self._breaker.sent(), self._loop.time()
        try:
            answer, body = await self._request(batch, permit, number)
        except RateLimited as failure:
            self._results.retry([Retry(batch, 0.0)], failure.reason)
            self._results.apply(self._breaker.ignored(number))
            return False
        except RequestFailed as failure:
            self._fail(number, batch, failure, sent_at)
            return False
        except BaseException:
            self._breaker.ignored(number)
            raise
        return self._take(number, batch, answer, body)

    async def control(self, batch: Batch | None, permit: Permit) -> bool:
        """Ask only whether the server works: for a batch, or EInfo for None.

        Returns:
            Whether it does.

        Raises:
            RateLimited: the server counted too many requests, which shows nothing.
        """
        number = self._breaker.sent()
        try:
            if batch is None:
                await self._ping(permit)
                answered: list[int] = []
            else:
                answer, _ = await self._request(batch, permit, number)
                answered = answer.answered[:1].tolist()
        except RateLimited:
            self._results.apply(self._breaker.ignored(number))
            raise
        except RequestFailed as failure:
            self._results.apply(self._breaker.failed(number, failure))
            return False
        except BaseException:
            self._breaker.ignored(number)
            raise
        if batch is not None and not answered:
            self._results.apply(self._breaker.failed(number, _left_out()))
            return False
        self._results.apply(self._breaker.answered(number, answered))
        return True

    async def _request(self, batch: Batch, permit: Permit, number: int) -> tuple[Answer, bytes]:
        sent_at = self._loop.time()
        self._emit(events.RequestSent(len(batch)))
        try:
            answer, body = await self._client.ask(self._question, batch, permit)
        except RequestFailed as failure:
            self._emit(events.RequestEnded())
            self._notice(failure)
            if self._breaker.rejects(failure, number):
                reason = failure.reason.rstrip(".")
                self._halt(BadInput(f"The server rejects the requests of this job: {reason}."))
            raise
        except BaseException:
            self._emit(events.RequestEnded())
            raise
        self.answered_at = self._loop.time()
        seconds = self.answered_at - sent_at
        self._emit(events.RequestEnded())
        self._emit(events.BatchAnswered(seconds, answer.unrequested))
        self._size.answered(len(batch), seconds, len(body))
        return answer, body

    async def _ping(self, permit: Permit) -> None:
        try:
            await self._client.ping(permit)
        except RequestFailed as failure:
            self._notice(failure)
            raise

    def _notice(self, failure: RequestFailed) -> None:
        """Act on what a failure says about all requests."""
        if isinstance(failure, RateLimited):
            self._emit(events.SlowedDown(self._client.rate))
        elif self._breaker.refuses(failure, self._loop.time()):
            self._halt(Refused(f"The server refuses us: {failure.reason}."))

    def _take(self, number: int, batch: Batch, answer: Answer, body: bytes) -> bool:
        """Settle what an answer holds; ERRORs in it count if it also answers other UIDs."""
        broken = broken_part(batch, answer.broken)
        if len(answer.answered):
            self._results.apply(self._breaker.answered(number, answer.answered[:1].tolist()))
            if broken:
                self._results.charge(*broken)
        elif broken:
            self._hold(number, *broken)
        elif answer.renamed:
            self._results.apply(self._breaker.ignored(number))
        else:
            self._results.keep(batch, body)
            self._hold(number, batch, _left_out())
            return False
        self._results.take(batch, answer, body)
        return bool(len(answer.answered))

    def _fail(self, number: int, batch: Batch, failure: RequestFailed, sent_at: float) -> None:
        self._results.keep(batch, failure.body or b"")
        failure.body = None
        if batch.excused < EXCUSES and self._heartbeat.stalled_since(sent_at):
            self._results.retry(after_excuse(batch, failure), failure.reason)
            self._results.apply(self._breaker.ignored(number))
            return
        self._size.failed(len(batch), failure)
        self._hold(number, batch, failure)

    def _hold(self, number: int, batch: Batch, failure: RequestFailed) -> None:
        suspect = Suspect(batch, failure, self._results.is_only_attempt(batch))
        self._results.apply(self._breaker.failed(number, failure, suspect))


def _left_out() -> RequestFailed:
    return RequestFailed(Fault.LEFT_OUT, "left out of the answer")
