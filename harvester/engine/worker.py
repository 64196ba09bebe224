"""One question, and what follows from its answer for its UIDs and for the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from harvester import events
from harvester.engine.outage import Suspects
from harvester.engine.retry import Retry, broken_part
from harvester.errors import Fault, RateLimited, Refused, RequestFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.client.client import Client
    from harvester.client.pacing.limiter import Permit
    from harvester.engine.batch_size import BatchSize
    from harvester.engine.results import Settling
    from harvester.errors import HarvestError
    from harvester.eutils.question import Question
    from harvester.model.answer import Answer
    from harvester.model.batch import Batch
    from harvester.model.uids import UidArray

_REFUSALS = 4  # in a row: NCBI's key service has been seen to call good keys invalid for a moment


class Asker:
    """Asks about batches, one request each.

    Args:
        client: asks, at the server's pace.
        question: what to ask about each batch.
        settling: what becomes of answers and failures.
        size: told how batches of which size fare.
        emit: told of everything that happens.
        halt: ends the run, when the server refuses us.

    Attributes:
        suspects: batches that failed, while it is not known why.
        control: a UID that was answered, or none: whoever must know whether the server is well
            asks for it.
    """

    def __init__(
        self,
        client: Client,
        question: Question,
        settling: Settling,
        size: BatchSize,
        emit: events.Listener,
        halt: Callable[[HarvestError], None],
    ) -> None:
        self._client = client
        self._question = question
        self._settling = settling
        self._size = size
        self._emit = emit
        self._halt = halt
        self._refusals = 0
        self._loop = asyncio.get_running_loop()
        self.suspects = Suspects()
        self.control: UidArray = np.empty(0, np.int64)

    async def ask(self, batch: Batch, permit: Permit) -> None:
        """Ask about a batch, and settle it, put it back or hold it as a suspect."""
        asked_at = self._loop.time()
        try:
            answer, body = await self.attempt(batch, permit)
        except RateLimited as failure:
            self._settling.again([Retry(batch, 0.0)], failure.reason)
        except RequestFailed as failure:
            self._size.failed(len(batch), failure)
            self._settling.keep(batch, failure.body or b"")
            failure.body = None
            self._hold(batch, failure)
        else:
            self.take(batch, answer, body, asked_at)

    async def attempt(self, batch: Batch, permit: Permit) -> tuple[Answer, bytes]:
        """One request, with what it tells of the server's health.

        Raises:
            RateLimited, RequestFailed: as `Client.ask` says.
        """
        begun = self._loop.time()
        self._emit(events.RequestSent(len(batch)))
        try:
            answer, body = await self._client.ask(self._question, batch, permit)
        except BaseException as error:
            self._emit(events.RequestEnded())
            if isinstance(error, RequestFailed):
                self._heed(error)
            raise
        self._refusals = 0
        seconds = self._loop.time() - begun
        self._emit(events.RequestEnded())
        self._emit(events.BatchAnswered(seconds, answer.unrequested))
        self._size.answered(len(batch), seconds, len(body))
        return answer, body

    async def ping(self) -> bool:
        """Whether the E-utilities answer at all.

        Raises:
            RateLimited: they do, but count too many requests.
        """
        try:
            await self._client.ping()
        except RequestFailed as failure:
            self._heed(failure)
            if isinstance(failure, RateLimited):
                raise
            return False
        return True

    def _heed(self, failure: RequestFailed) -> None:
        """What a failure says of all requests, rather than of one."""
        if isinstance(failure, RateLimited):
            self._emit(events.SlowedDown(self._client.rate))
            return
        self._refusals = self._refusals + 1 if failure.fault is Fault.REFUSAL else 0
        if self._refusals >= _REFUSALS:
            self._halt(Refused(f"The server refuses us: {failure.reason}."))

    def take(self, batch: Batch, answer: Answer, body: bytes, asked_at: float) -> None:
        """An answer settles most of a batch; ERRORs in it count if it proves the server well."""
        broken = broken_part(batch, answer.broken)
        if len(answer.answered):
            self._prove_well(answer, asked_at)
            if broken:
                self._settling.judge(*broken)
        elif broken:
            self._hold(*broken)
        else:
            self._settling.keep(batch, body)
            self._hold(batch, RequestFailed(Fault.LEFT_OUT, "left out of the answer"))
            return
        self._settling.take(batch, answer, body)

    def _hold(self, batch: Batch, failure: RequestFailed) -> None:
        """A failure that may be the server's: it waits for proof."""
        self.suspects.add(batch, failure, self._loop.time())

    def _prove_well(self, answer: Answer, asked_at: float) -> None:
        """The server answers: what failed before is charged to the UIDs, and asked again."""
        self.control = answer.answered[:1]
        for batch, failure in self.suspects.release(asked_at):
            self._settling.judge(batch, failure)
