"""Events of a run for any number of listeners, and the running counts made from them.

The engine emits events; the progress display, the log and `status` listen, and the engine imports
none of them. Events have fields only; `harvester.wording` turns them into sentences.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

WaitCause: TypeAlias = Literal["hours", "outage", "limiter"]
Limit: TypeAlias = Literal["rate", "server", "disk", "concurrency"]


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A pass begins: `total` distinct UIDs, of which `done` already have an outcome in it."""

    total: int
    done: int
    outcomes: dict[str, int]
    links: int
    rate: float
    server: str
    hours_end: datetime | None = None
    """End of NCBI's current off-peak hours, for a job that keeps them."""
    pass_number: int = 1
    passes: int = 1
    growing: bool = False
    """True if more UIDs will come; `total` is then an estimate."""
    refresh: bool = False
    """True if UIDs are requested again because their answers are old; pass 2 confirms losses."""
    round: int = 0
    """Number of the round of a job with `repeat`; 0 for any other job."""


@dataclass(frozen=True, slots=True)
class InputGrew:
    """More input UIDs are known: now `total` distinct ones."""

    total: int


@dataclass(frozen=True, slots=True)
class Warned:
    """A warning about the job, as one sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class RequestSent:
    """A request for `uids` UIDs is sent."""

    uids: int


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """A request has ended, answered or failed."""


@dataclass(frozen=True, slots=True)
class BatchAnswered:
    """A whole answer came after `seconds`; `unrequested` of its LinkSets name no requested UID."""

    seconds: float
    unrequested: int


@dataclass(frozen=True, slots=True)
class BatchRetried:
    """`uids` UIDs are requested again after `delay` seconds, because of `reason`."""

    uids: int
    reason: str
    delay: float


@dataclass(frozen=True, slots=True)
class SlowedDown:
    """The server returned 429; from now on `rate` requests per second are sent."""

    rate: float


@dataclass(frozen=True, slots=True)
class LimitChanged:
    """Another cause limits the harvest from now on.

    Attributes:
        by: `rate` for the permitted rate, `server` for the server's capacity, `disk` for answers
            that wait to be written, `concurrency` for the job's own setting.
        others: number of other processes that share the permitted rate.
        slowed: whether the permitted rate is lower than the job's, after status 429.
    """

    by: Limit
    others: int = 0
    slowed: bool = False


@dataclass(frozen=True, slots=True)
class UidsSettled:
    """UIDs got an outcome: outcome → number of UIDs, and the number of their links."""

    outcomes: dict[str, int]
    links: int = 0


@dataclass(frozen=True, slots=True)
class LeaseEnded:
    """A lease of UIDs has ended in another process; counts of its requests."""

    sent: int
    ok: int
    retried: int
    rate_limited: int


@dataclass(frozen=True, slots=True)
class PartCommitted:
    """Rows are permanent on disk under their final names; the commit took `seconds`."""

    links: int
    uids: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """No request is sent until a time.

    Attributes:
        cause: `hours` for NCBI's off-peak hours, `outage` while the server does not answer,
            `limiter` while the rate limit that several machines share does not.
        until: the time of the next request or try, aware.
        reason: of an outage, why the last request failed; of a limiter, why it does not answer.
        retry_in: seconds from the event until the next try; not for `hours`.
    """

    cause: WaitCause
    until: datetime
    reason: str = ""
    retry_in: float = 0.0


@dataclass(frozen=True, slots=True)
class Resumed:
    """Requests are sent again after a wait."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run sends no more requests.

    Attributes:
        state: as `status` reports it.
        outcomes: outcome → number of UIDs, earlier runs included.
        links: number of links, earlier runs included.
        exit_code: of the command.
        folder: of the harvest.
    """

    state: str
    outcomes: dict[str, int] = field(default_factory=dict)
    links: int = 0
    exit_code: int = 0
    folder: str = ""


@dataclass(frozen=True, slots=True)
class ReadProgress:
    """A command has read `done` of `total` links of a harvest, in one of its passes over them.

    Attributes:
        done: number read in this pass.
        total: number of all.
        noun: what is counted.
    """

    done: int
    total: int
    noun: str = "link"


Event: TypeAlias = (
    RunStarted
    | InputGrew
    | Warned
    | RequestSent
    | RequestEnded
    | BatchAnswered
    | BatchRetried
    | SlowedDown
    | LimitChanged
    | UidsSettled
    | PartCommitted
    | LeaseEnded
    | Waiting
    | Resumed
    | RunEnded
    | ReadProgress
)
Listener: TypeAlias = "Callable[[Event], None]"
Listeners: TypeAlias = "Iterable[Listener]"


def to_all(listeners: Listeners) -> Listener:
    """Return one listener that passes each event on to several."""
    told = list(listeners)

    def emit(event: Event) -> None:
        for listener in told:
            listener(event)

    return emit


_SPAN_SECONDS = 30.0


@dataclass(slots=True)
class Tally:
    """Running counts over the events of a run; is itself a listener.

    Attributes:
        clock: returns monotonic seconds.
        outcomes: outcome → number of UIDs, including earlier runs.
        others: other processes that share the rate limit.
        slowed: whether the permitted rate is lower than the job's, after status 429.
    """

    clock: Callable[[], float] = time.monotonic
    total: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    links: int = 0
    sent: int = 0
    ok: int = 0
    retried: int = 0
    rate_limited: int = 0
    unrequested: int = 0
    in_flight: int = 0
    rate: float = 0.0
    server: str = ""
    hours_end: datetime | None = None
    pass_number: int = 1
    passes: int = 1
    others: int = 0
    slowed: bool = False
    waiting: Waiting | None = None
    _limit: Limit = "rate"
    _seconds_per_uid: float | None = None  # before the wait
    _sent_at: deque[float] = field(default_factory=deque)
    _settled_at: deque[tuple[float, int]] = field(default_factory=deque)

    def __call__(self, event: Event) -> None:  # noqa: C901 - a case for each event
        """Count one event."""
        match event:
            case RunStarted():
                self.total, self.links, self.rate = event.total, event.links, event.rate
                self.server, self.hours_end = event.server, event.hours_end
                self.pass_number, self.passes = event.pass_number, event.passes
                self.outcomes = Counter(event.outcomes)
                self._settled_at.clear()
                self._settled_at.append((self.clock(), self.done))
            case InputGrew():
                self.total = max(self.total, event.total)
            case RequestSent():
                self.sent += 1
                self.in_flight += 1
                self._sent_at.append(self.clock())
            case RequestEnded():
                self.in_flight -= 1
            case BatchAnswered():
                self.ok += 1
                self.unrequested += event.unrequested
            case BatchRetried():
                self.retried += 1
            case SlowedDown():
                self.rate_limited += 1
            case LimitChanged():
                self._limit, self.others, self.slowed = event.by, event.others, event.slowed
            case LeaseEnded():
                self._add(event)
            case UidsSettled():
                self.outcomes.update(event.outcomes)
                self.links += event.links
                self._settled_at.append((self.clock(), self.done))
            case Waiting():
                self._seconds_per_uid = self._speed()
                self.waiting = event
            case Resumed() | RunEnded():
                self.waiting = None

    def _add(self, lease: LeaseEnded) -> None:
        self.sent += lease.sent
        self.ok += lease.ok
        self.retried += lease.retried
        self.rate_limited += lease.rate_limited

    @property
    def done(self) -> int:
        """UIDs with an outcome."""
        return sum(self.outcomes.values())

    @property
    def limited_by(self) -> Limit | WaitCause:
        """Cause that limits the harvest now; the cause of a wait while no request is sent."""
        return self.waiting.cause if self.waiting else self._limit

    @property
    def achieved(self) -> float:
        """Requests per second over the last 30 s."""
        return self._per_second(self._sent_at)

    @property
    def eta_seconds(self) -> float | None:
        """Seconds to the end at the speed of the last 30 s; None while that is unknown.

        It is unknown while the server or the limiter does not answer. During a wait for NCBI's
        hours, the wait is added to the time for the rest at the speed before it.
        """
        left = self.total - self.done
        if left <= 0:
            return 0.0
        if self.waiting is None:
            each = self._speed()
            return None if each is None else left * each
        if self.waiting.cause != "hours" or self._seconds_per_uid is None:
            return None
        wait = (self.waiting.until - datetime.now(UTC)).total_seconds()
        return max(wait, 0.0) + left * self._seconds_per_uid

    def _speed(self) -> float | None:
        """Return the seconds per UID over the last 30 s; None if none got an outcome."""
        now = self.clock()
        while len(self._settled_at) > 2 and self._settled_at[0][0] < now - _SPAN_SECONDS:
            self._settled_at.popleft()
        if len(self._settled_at) < 2:
            return None
        start, before = self._settled_at[0]
        if now <= start or self.done <= before:
            return None
        return (now - start) / (self.done - before)

    def _per_second(self, times: deque[float]) -> float:
        now = self.clock()
        while times and times[0] < now - _SPAN_SECONDS:
            times.popleft()
        if len(times) < 2:
            return 0.0
        return (len(times) - 1) / max(now - times[0], 1e-3)
