"""Handling of answers and failures: deliver settled UIDs, retry the others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from harvester import events
from harvester.engine.retry import (
    Retry,
    after_empty,
    after_excuse,
    after_failure,
    after_left_out,
)
from harvester.errors import Fault, printable
from harvester.model.delivery import AnsweredUids, RawResponse, UnansweredUids
from harvester.model.outcomes import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from harvester.engine.frontier import Frontier
    from harvester.engine.outage import Verdict
    from harvester.errors import RequestFailed
    from harvester.job.groups import Limits
    from harvester.model.answer import Answer
    from harvester.model.batch import Batch
    from harvester.model.delivery import Delivery
    from harvester.model.uids import UidArray


class Results:
    """Delivers settled UIDs, and puts the others back into the frontier.

    Args:
        frontier: takes what is sent again.
        limits: of the job.
        deliver: takes what is settled.
        emit: receives an event for both.
        keep_raw: whether to deliver the response bodies, too.
    """

    def __init__(
        self,
        frontier: Frontier,
        limits: Limits,
        deliver: Callable[[Delivery], None],
        emit: events.Listener,
        *,
        keep_raw: bool = False,
    ) -> None:
        self._keep_raw = keep_raw
        self._frontier = frontier
        self._limits = limits
        self._deliver = deliver
        self._emit = emit

    def take(self, batch: Batch, answer: Answer, body: bytes) -> None:
        """Deliver the UIDs that an answer settles, and retry those that it left out."""
        empty = answer.answered[answer.counts == 0]
        unsure = after_empty(batch, empty, self._limits.confirm_empty)
        self.retry(unsure, "no links, to be confirmed")
        is_settled = answer.counts > 0 if unsure else np.ones(len(answer.counts), np.bool_)
        self.keep(batch, body)
        self._settle(answer, is_settled)
        for uid, name in answer.renamed.items():
            reason = printable(f"answered as {name}")
            self._give_up(np.array([uid], np.int64), Outcome.MISSING, reason)
        if len(answer.left_out):
            self._left_out(batch, answer.left_out, answer.remark)

    def keep(self, batch: Batch, body: bytes) -> None:
        """Deliver the response as received, if the job keeps responses."""
        if body and self._keep_raw:
            self._deliver(RawResponse(batch.retmode, batch.uids, body))

    def is_only_attempt(self, batch: Batch) -> bool:
        """Return whether a single charged failure would end a batch as `failed`."""
        return len(batch) == 1 and batch.tries == 0 and self._limits.max_attempts == 1

    def apply(self, verdicts: Iterable[Verdict]) -> None:
        """Carry out the circuit breaker's verdicts."""
        for verdict in verdicts:
            suspect = verdict.suspect
            if verdict.charged:
                self.charge(suspect.batch, suspect.failure)
            else:
                self.retry(after_excuse(suspect.batch, suspect.failure), suspect.failure.reason)

    def charge(self, batch: Batch, failure: RequestFailed) -> None:
        """Count a failure against the UIDs of a batch: retry them, or mark them as failed."""
        if failure.fault is Fault.LEFT_OUT:
            self._left_out(batch, batch.uids)
            return
        retries = after_failure(batch, failure, self._limits.max_attempts)
        self.retry(retries, failure.reason)
        if not retries:
            self._give_up(batch.uids, Outcome.FAILED, failure.reason)

    def retry(self, retries: list[Retry], reason: str) -> None:
        """Put batches back into the frontier, each with its delay."""
        now = asyncio.get_running_loop().time()
        for retry in retries:
            self._frontier.put(retry, now)
            self._emit(events.BatchRetried(len(retry.batch), reason, retry.delay))

    def _left_out(self, batch: Batch, uids: UidArray, remark: str = "") -> None:
        said = f": {remark}" if remark else ""
        retries = after_left_out(batch, uids, self._limits.max_attempts)
        self.retry(retries, printable(f"left out of the answer{said}"))
        if not retries:
            reason = printable(f"left out of every answer{said}")
            self._give_up(uids, Outcome.MISSING, reason)

    def _settle(self, answer: Answer, is_settled: NDArray[np.bool_]) -> None:
        counts = answer.counts[is_settled]
        if not len(counts):
            return
        linked = int(np.count_nonzero(counts))
        settled = answer if is_settled.all() else answer.only(answer.answered[is_settled])
        self._deliver(AnsweredUids(settled.answered, counts, settled.rows))
        outcomes = {Outcome.LINKED.value: linked, Outcome.EMPTY.value: len(counts) - linked}
        self._emit(events.UidsSettled(outcomes, len(answer.rows)))

    def _give_up(self, uids: UidArray, outcome: Outcome, reason: str) -> None:
        self._deliver(UnansweredUids(uids, outcome, reason))
        self._emit(events.UidsSettled({outcome.value: len(uids)}))
