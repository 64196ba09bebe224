"""Circuit breaker: distinguishes a server outage from bad UIDs by the order of requests.

A failed request may be the fault of its UIDs or of the server. How long anything took proves
nothing, since this process may be the slow one. The order in which requests were sent does:
requests are numbered, and a failure is judged once the results before and after it are known.

- Both neighbours were answered: the server worked, so the failure is **charged** to its UIDs.
- Several failed in a row: that may have been an outage. They are **excused** and sent again free
  of charge, at most `EXCUSES` times; after that they are put on trial.
- `OPEN_AFTER` failures without an answer between them open the circuit. Only probes are sent, at
  growing intervals, until one is answered. Then all that failed is tried.
- A **trial** sends the batch between two control requests. It is charged if it alone fails.

`witnesses` chooses the requests that serve as probes and controls.

Nothing here has a clock, a loop or a task: the engine sends and waits.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import TYPE_CHECKING

from harvester.engine.witnesses import Probe, Witnesses
from harvester.errors import FOR_ALL, Fault
from harvester.model.uids import as_set

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.errors import RequestFailed
    from harvester.model.batch import Batch
    from harvester.model.uids import UidSet

OPEN_AFTER = 8
"""Failures without an answer between them that open the circuit."""

EXCUSES = 3
"""Failures of one batch that are excused before it is put on trial."""

REFUSALS = 4
"""Consecutive refusals that end a run. NCBI's key service has rejected valid keys at times."""

REFUSED_SECONDS = 300.0
"""Seconds for which refusals must last if the server answered earlier in the run."""

_OF_UIDS = frozenset({Fault.LEFT_OUT, Fault.LINKSET})
"""Faults of an answer that is otherwise valid: they need no trial."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """A batch that failed.

    Attributes:
        batch: the UIDs of the request.
        failure: how the request failed.
        only: whether one charge ends the batch as `failed`; it is then put on trial first.
    """

    batch: Batch
    failure: RequestFailed
    only: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Decision about a suspect: charged to its UIDs, or sent again free of charge."""

    suspect: Suspect
    charged: bool


class _Sent(Enum):
    """State of one request."""

    PENDING = auto()
    ANSWERED = auto()
    FAILED = auto()


class CircuitBreaker:
    """Numbers requests, holds failed batches and decides what becomes of them.

    Args:
        known: UIDs answered in earlier runs; some become witnesses.

    Attributes:
        is_open: whether only probes may be sent.
        reason: why the last request failed.
        unreadable: whether its response could not be read in its format.
        retry_after: seconds that the server then asked us to wait, if it did.
    """

    def __init__(self, known: UidSet | None = None) -> None:
        self._witnesses = Witnesses(as_set() if known is None else known)
        self._sent: dict[int, _Sent] = {}
        self._count = 0
        self._oldest = 1  # number in `_sent`
        self._failures = 0  # in `_sent`
        self._held: dict[int, Suspect] = {}
        self._trials: deque[Suspect] = deque()
        self._control_due = False
        self._in_a_row = 0
        self._answered_once = False
        self._refusals = 0
        self._refused_since = 0.0
        self._rejected_at = 0  # number of the last request sent when the first was rejected
        self._bounded = False  # whether an answered request precedes all of `_sent`
        self.is_open = False
        self.reason = "no answer"
        self.unreadable = False
        self.retry_after: float | None = None

    def __repr__(self) -> str:
        """Show the state and the numbers of held batches and trials."""
        state = "open" if self.is_open else "closed"
        return f"CircuitBreaker({state}, {len(self._held)} held, {len(self._trials)} to try)"

    @property
    def holds(self) -> bool:
        """True if some failed batches are not judged yet."""
        return bool(self._held or self._trials)

    # --- what was sent, and what came of it ---------------------------------------------------

    def sent(self) -> int:
        """Return the number of the request that is sent now."""
        self._count += 1
        self._sent[self._count] = _Sent.PENDING
        return self._count

    def ignored(self, number: int) -> list[Verdict]:
        """Drop a request that proves nothing, such as one with status 429."""
        del self._sent[number]
        return self._judge()

    def answered(self, number: int, uids: Sequence[int] = ()) -> list[Verdict]:
        """Record an answer.

        Args:
            number: of the request.
            uids: one or more UIDs it answered, as witnesses; none if EInfo was asked.

        Returns:
            What can be judged now.
        """
        self._sent[number] = _Sent.ANSWERED
        self._in_a_row = self._refusals = 0
        if uids:
            self._answered_once = True
        self._witnesses.answered(uids)
        return self._judge()

    def failed(
        self, number: int, failure: RequestFailed, suspect: Suspect | None = None
    ) -> list[Verdict]:
        """Record a failure, and hold its batch until it can be judged.

        Args:
            number: of the request.
            failure: how it failed.
            suspect: its batch; None for probes and controls.

        Returns:
            What can be judged now.
        """
        self._sent[number] = _Sent.FAILED
        self._failures += 1
        self._in_a_row += 1
        self.reason = failure.reason
        self.unreadable = failure.unreadable
        self.retry_after = failure.retry_after
        if suspect is not None:
            self._held[number] = suspect
        if suspect is None or self._in_a_row >= OPEN_AFTER:
            self.is_open = True
        if self.is_open:
            self._try_all()
        return self._judge()

    def refuses(self, failure: RequestFailed, now: float) -> bool:
        """Record whether a failure is a refusal; return whether the server refuses permanently.

        Args:
            failure: of any request.
            now: seconds, monotonic.
        """
        if failure.fault not in FOR_ALL:
            self._refusals = 0
            return False
        if not self._refusals:
            self._refused_since = now
        self._refusals += 1
        lasting = not self._answered_once or now - self._refused_since >= REFUSED_SECONDS
        return self._refusals >= REFUSALS and lasting

    def rejects(self, failure: RequestFailed, number: int) -> bool:
        """Record a rejected request; return whether the rejection is confirmed.

        A rejection concerns every request of the job. It is confirmed by one of a request that was
        sent after the first, if the server has not answered in this run.

        Args:
            failure: of any request.
            number: of the request.
        """
        if failure.fault is not Fault.REJECTED or self._answered_once:
            return False
        if not self._rejected_at:
            self._rejected_at = self._count
            return False
        return number > self._rejected_at

    def close(self) -> None:
        """Resume after an answered probe; batches that failed are tried first."""
        self.is_open = False
        self._in_a_row = 0
        self._control_due = False

    # --- what to send now ---------------------------------------------------------------------

    def next_trial(self, *, idle: bool) -> Suspect | Probe | None:
        """Return a failed batch or a control to send before any other batch, if any.

        Args:
            idle: nothing is in flight and nothing else can be sent now, so no other request will
                show whether the server works.
        """
        if self._control_due or (idle and self._held and not self._trials):
            self._control_due = False
            return self.probe(fresh=False)
        if not self._trials:
            return None
        self._control_due = True
        return self._trials.popleft()

    def probe(self, *, fresh: bool) -> Probe:
        """Return the next probe: a request that shows whether the server works.

        Args:
            fresh: whether there is a UID that was never sent.
        """
        waiting = (*self._trials, *self._held.values())
        batches = (one.batch for one in waiting if one.failure.fault not in _OF_UIDS)
        return self._witnesses.next_probe(fresh=fresh, failed=batches)

    # --- verdicts -----------------------------------------------------------------------------

    def _judge(self) -> list[Verdict]:
        """Judge each run of failures whose neighbours are known."""
        verdicts: list[Verdict] = []
        if self._failures:
            run: list[int] = []
            before: bool | None = self._bounded  # None: the request before the run is pending
            for number, state in list(self._sent.items()):
                if state is _Sent.FAILED:
                    run.append(number)
                    continue
                if state is _Sent.ANSWERED and run and before is not None:
                    verdicts += self._judge_run(run, alone=before and len(run) == 1)
                run, before = [], True if state is _Sent.ANSWERED else None
        self._forget()
        return verdicts

    def _judge_run(self, run: list[int], *, alone: bool) -> list[Verdict]:
        """Judge failures in a row, with answers before and after them."""
        self._failures -= len(run)
        for number in run:
            del self._sent[number]
        held = [self._held.pop(number) for number in run if number in self._held]
        probes_failed = len(held) < len(run)
        return [
            verdict
            for suspect in held
            if (verdict := self._verdict(suspect, alone=alone, probes_failed=probes_failed))
        ]

    def _verdict(self, suspect: Suspect, *, alone: bool, probes_failed: bool) -> Verdict | None:
        """Return the verdict on one failure, or None if it is to be tried."""
        tried = suspect.batch.excused >= EXCUSES
        if suspect.failure.fault in _OF_UIDS:
            charged = alone or not probes_failed
        else:
            charged = alone and (tried or not suspect.only)
        if charged:
            return Verdict(suspect, charged=True)
        if alone or tried:
            self._trials.append(_to_be_tried(suspect))
            return None
        return Verdict(suspect, charged=False)

    def _try_all(self) -> None:
        """Move all held batches to the trials; faults of UIDs wait for the next answer."""
        for number, suspect in list(self._held.items()):
            if suspect.failure.fault not in _OF_UIDS:
                self._trials.append(_to_be_tried(self._held.pop(number)))

    def _forget(self) -> None:
        """Drop the oldest numbers that no later verdict needs."""
        while self._oldest <= self._count:
            state = self._sent.get(self._oldest)
            if state is _Sent.PENDING or state is _Sent.FAILED:
                break
            if state is _Sent.ANSWERED:
                del self._sent[self._oldest]
                self._bounded = True
            self._oldest += 1


def _to_be_tried(suspect: Suspect) -> Suspect:
    return replace(suspect, batch=replace(suspect.batch, excused=EXCUSES))
