"""What happens in a run, as frozen events for any number of listeners, and the running counts.

The engine emits; progress display, log and `status` listen. None of them is known to it.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A sweep begins: `total` distinct UIDs, of which `done` have an outcome in it by now."""

    total: int
    done: int
    outcomes: dict[str, int]
    links: int
    rate: float
    server: str
    hours_end: datetime | None = None
    """When NCBI's hours end, for a job that keeps them."""
    sweep: int = 1
    sweeps: int = 1
    growing: bool = False
    """Whether UIDs are still coming: `total` is what is expected."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """More UIDs are known: now `total` distinct ones."""

    total: int


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something about the job that may be wrong, in a sentence."""

    text: str


@dataclass(frozen=True, slots=True)
class RequestSent:
    """One attempt leaves, for `uids` UIDs."""

    uids: int


@dataclass(frozen=True, slots=True)
class RequestEnded:
    """One attempt is over, well or not."""


@dataclass(frozen=True, slots=True)
class BatchAnswered:
    """A whole answer came, after `seconds`; `unrequested` LinkSets in it were for nobody."""

    seconds: float
    unrequested: int


@dataclass(frozen=True, slots=True)
class BatchRetried:
    """`uids` UIDs are to be asked again, after `delay` seconds, because of `reason`."""

    uids: int
    reason: str
    delay: float


@dataclass(frozen=True, slots=True)
class SlowedDown:
    """The server said 429; from now on `rate` requests a second."""

    rate: float


@dataclass(frozen=True, slots=True)
class UidsSettled:
    """UIDs that have an outcome now: outcome → how many, and the links of them all."""

    outcomes: dict[str, int]
    links: int = 0


@dataclass(frozen=True, slots=True)
class PartCommitted:
    """Rows are safe on disk under their final names."""

    links: int
    uids: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing is asked until a time: NCBI's hours, or an outage. `why` is a sentence."""

    why: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Resumed:
    """The wait is over."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """No more requests in this run; `state` as `status` reports it."""

    state: str


Event: TypeAlias = (
    RunStarted
    | Wanted
    | Doubt
    | RequestSent
    | RequestEnded
    | BatchAnswered
    | BatchRetried
    | SlowedDown
    | UidsSettled
    | PartCommitted
    | Waiting
    | Resumed
    | RunEnded
)
Listener: TypeAlias = "Callable[[Event], None]"
Listeners: TypeAlias = "Iterable[Listener]"


def to_all(listeners: Listeners) -> Listener:
    """One listener that tells several."""
    told = list(listeners)

    def emit(event: Event) -> None:
        for listener in told:
            listener(event)

    return emit


_SPAN_SECONDS = 30.0


@dataclass(slots=True)
class Tally:
    """Running counts over the events of a run; a listener itself.

    Attributes:
        clock: gives seconds, monotonic.
        outcomes: outcome → UIDs, earlier runs included.
    """

    clock: Callable[[], float]
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
    sweep: int = 1
    sweeps: int = 1
    waiting: Waiting | None = None
    _sent_at: deque[float] = field(default_factory=deque)
    _settled_at: deque[tuple[float, int]] = field(default_factory=deque)

    def __call__(self, event: Event) -> None:
        """Count one event."""
        match event:
            case RunStarted():
                self.total, self.links, self.rate = event.total, event.links, event.rate
                self.server, self.hours_end = event.server, event.hours_end
                self.sweep, self.sweeps = event.sweep, event.sweeps
                self.outcomes = Counter(event.outcomes)
                self._settled_at.clear()
                self._settled_at.append((self.clock(), self.done))
            case Wanted():
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
            case UidsSettled():
                self.outcomes.update(event.outcomes)
                self.links += event.links
                self._settled_at.append((self.clock(), self.done))
            case Waiting():
                self.waiting = event
            case Resumed() | RunEnded():
                self.waiting = None

    @property
    def done(self) -> int:
        """UIDs with an outcome."""
        return sum(self.outcomes.values())

    @property
    def achieved(self) -> float:
        """Requests per second over the last half minute."""
        return self._per_second(self._sent_at)

    @property
    def eta_seconds(self) -> float | None:
        """Seconds to the end at the pace of the last half minute; None while there is no pace."""
        now = self.clock()
        while len(self._settled_at) > 2 and self._settled_at[0][0] < now - _SPAN_SECONDS:
            self._settled_at.popleft()
        if self.done >= self.total:
            return 0.0
        if len(self._settled_at) < 2:
            return None
        start, before = self._settled_at[0]
        if now <= start or self.done <= before:
            return None
        return (self.total - self.done) * (now - start) / (self.done - before)

    def _per_second(self, times: deque[float]) -> float:
        now = self.clock()
        while times and times[0] < now - _SPAN_SECONDS:
            times.popleft()
        if len(times) < 2:
            return 0.0
        return (len(times) - 1) / max(now - times[0], 1e-3)
