"""One request, and the actions on its answer for its UIDs and for the server."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester import events
from harvester.engine.outage import EXCUSES, Suspect
from harvester.engine.retry import Retry, after_excuse, broken_part
from harvester.errors import BadInput, Fault, RateLimited, RequestFailed, refused_by

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from harvester.client.client import Client
    from harvester.client.pacing.limiter import Permit
    from harvester.engine.flow import Flow
    from harvester.engine.heartbeat import Heartbeat
    from harvester.engine.in_flight import Sent
    from harvester.engine.outage import CircuitBreaker
    from harvester.engine.results import Results
    from harvester.errors import HarvestError
    from harvester.eutils.question import Question
    from harvester.model.answer import Answer
    from harvester.model.batch import Batch


_NO_ROOM = 503  # HTTP status of a server with too many requests


@dataclass(frozen=True, slots=True)
class _Request:
    """A request that was sent: its number for the breaker, its record for the flow."""

    number: int
    sent: Sent


class Worker:
    """Sends requests and reports each result to results, circuit breaker and flow.

    Args:
        client: sends at the permitted rate.
        question: what to ask about each batch.
        results: takes answers and failures.
        breaker: judges failures.
        flow: learns how each request ends.
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
        flow: Flow,
        heartbeat: Heartbeat,
        emit: events.Listener,
        halt: Callable[[HarvestError], None],
    ) -> None:
        self._client = client
        self._question = question
        self._results = results
        self._breaker = breaker
        self._flow = flow
        self._heartbeat = heartbeat
        self._emit = emit
        self._halt = halt
        self._loop = asyncio.get_running_loop()
        self.answered_at = self._loop.time()

    def send(self, batch: Batch, permit: Permit) -> Coroutine[None, None, bool]:
        """Send a batch; settle it, retry it or hold it as a suspect.

        The request counts as in flight from this call on, also before the coroutine runs.

        Returns:
            Coroutine: whether the server answered at least one of the UIDs.
        """
        return self._send(batch, permit, self._begin(len(batch)))

    def control(self, batch: Batch | None, permit: Permit) -> Coroutine[None, None, bool]:
        """Send a request that only shows whether the server works: for a batch, or EInfo for None.

        Returns:
            Coroutine: whether it does. It raises RateLimited if the server counted too many
                requests, which shows nothing.
        """
        return self._control(batch, permit, self._begin(1 if batch is None else len(batch)))

    async def _send(self, batch: Batch, permit: Permit, request: _Request) -> bool:
        try:
            answer, body = await self._ask(batch, permit, request)
        except RateLimited as failure:
            self._results.retry([Retry(batch, 0.0)], failure.reason)
            self._results.apply(self._breaker.ignored(request.number))
            return False
        except RequestFailed as failure:
            self._fail(request, batch, failure)
            return False
        except BaseException:
            self._breaker.ignored(request.number)
            raise
        return self._take(request.number, batch, answer, body)

    async def _control(self, batch: Batch | None, permit: Permit, request: _Request) -> bool:
        number = request.number
        answered: list[int] = []
        try:
            if batch is None:
                await self._ping(permit, request)
            else:
                answer, _ = await self._ask(batch, permit, request)
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

    # --- one request --------------------------------------------------------------------------

    def _begin(self, uids: int) -> _Request:
        """Count a request that is about to be sent."""
        self._emit(events.RequestSent(uids))
        return _Request(self._breaker.sent(), self._flow.sent(uids, self._loop.time()))

    async def _ask(self, batch: Batch, permit: Permit, request: _Request) -> tuple[Answer, bytes]:
        with self._in_flight(request):
            answer, body = await self._client.ask(self._question, batch, permit)
            self._answered(request, len(body))
        self._emit(events.BatchAnswered(self.answered_at - request.sent.at, answer.unrequested))
        return answer, body

    async def _ping(self, permit: Permit, request: _Request) -> None:
        with self._in_flight(request):
            await self._client.ping(permit)
            self._flow.dropped(request.sent, self._loop.time())

    @contextmanager
    def _in_flight(self, request: _Request) -> Iterator[None]:
        """Context manager. Report a request that fails, and that it has ended."""
        try:
            yield
        except RequestFailed as failure:
            self._report(request.sent, failure)
            self._notice(request, failure)
            raise
        except BaseException:
            self._flow.dropped(request.sent, self._loop.time())
            raise
        finally:
            self._emit(events.RequestEnded())

    def _answered(self, request: _Request, size: int) -> None:
        self.answered_at = self._loop.time()
        self._flow.answered(request.sent, size, self.answered_at)

    def _report(self, sent: Sent, failure: RequestFailed) -> None:
        """Tell the flow how a request failed."""
        now = self._loop.time()
        if self._heartbeat.stalled_since(sent.at):
            self._flow.dropped(sent, now)
        elif isinstance(failure, RateLimited):
            self._flow.rate_limited(sent, now)
        elif failure.fault is Fault.TIMEOUT:
            self._flow.timed_out(sent, now)
        elif failure.status == _NO_ROOM:
            self._flow.refused(sent, now)
        else:
            self._flow.failed(sent, failure.fault, now)

    def _notice(self, request: _Request, failure: RequestFailed) -> None:
        """Handle a failure that concerns all requests."""
        reason = failure.reason.rstrip(".")
        if isinstance(failure, RateLimited):
            self._emit(events.SlowedDown(self._client.rate))
        elif self._breaker.refuses(failure, self._loop.time()):
            self._halt(refused_by(failure))
        elif self._breaker.rejects(failure, request.number):
            self._halt(BadInput(f"The server rejects the requests of this job: {reason}."))

    def _take(self, number: int, batch: Batch, answer: Answer, body: bytes) -> bool:
        """Settle the UIDs of an answer; ERRORs count only if other UIDs are answered."""
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

    def _fail(self, request: _Request, batch: Batch, failure: RequestFailed) -> None:
        self._results.keep(batch, failure.body or b"")
        failure.body = None
        if batch.excused < EXCUSES and self._heartbeat.stalled_since(request.sent.at):
            self._results.retry(after_excuse(batch, failure), failure.reason)
            self._results.apply(self._breaker.ignored(request.number))
            return
        self._hold(request.number, batch, failure)

    def _hold(self, number: int, batch: Batch, failure: RequestFailed) -> None:
        suspect = Suspect(batch, failure, self._results.is_only_attempt(batch))
        self._results.apply(self._breaker.failed(number, failure, suspect))


def _left_out() -> RequestFailed:
    return RequestFailed(Fault.LEFT_OUT, "left out of the answer")
