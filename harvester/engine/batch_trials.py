"""UIDs per request: larger batch sizes are tried with two requests at a time.

While the rate limits, twice the UIDs per request are twice the UIDs per second, whatever the
latency. While the server limits, a larger batch must deliver more UIDs per second; the longer its
latency, the larger the required gain, because a time-out wastes all of that work. An accepted size
is given up if it delivers fewer UIDs per second, or if many of its requests fail.
"""

from __future__ import annotations

import math
from statistics import fmean
from typing import TYPE_CHECKING, Literal

from harvester.engine.in_flight import spread
from harvester.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

START = 200
"""UIDs per request that are safe by NCBI's documentation (NBK25499) and users' reports."""

MOST = 5000
"""UIDs per request that NCBI calls a reasonable limit (E-utilities Help, chapter 3)."""

MOST_MERGED = 1000
"""Maximum UIDs in a comma list. Recorded History sets above this size were sometimes empty."""

_NEAR, _STEP = 50, 5  # a size is precise enough within 2 %, or within 5 UIDs
# seconds between trials of sizes that failed; doubled each time
_REST_SECONDS, _LONGEST_REST = 30.0, 900.0
_NO_GAIN_REST = 120.0  # seconds between trials of sizes that were too slow
_SLOW_SHARE = 0.5  # share of the timeout: a size with a longer latency is too large
_PAYS = 0.35  # required gain of a trial per share of the timeout that its latency takes
_LEAST_GAIN = 0.03
_LONG_SHARE = 0.25  # share of the timeout: a server with a quarter of its capacity is in time
_LOSS = 0.9  # share of the UIDs per second before: a size that delivers less is given up
_ENOUGH = 8  # answers to a trial after which their mean decides
_STRIKES = 2  # failed requests of a trial; one may be chance
_MEMORY, _TOO_MANY = 0.95, 6.0  # six failures among about twenty requests are not chance
_TIMEOUT_WEIGHT = 2.0  # each wastes the most work
_NOT_OF_SIZE = frozenset({Fault.REFUSAL, Fault.LEFT_OUT})


def requests_for(uids: int, setting: int | Literal["auto"]) -> float:
    """Return about how many requests `uids` UIDs need at the initial batch size."""
    return uids / (START if setting == "auto" else setting)


class BatchTrials:
    """Batch size, adapted by trials of larger sizes.

    The next trial doubles a size that proved good; between an answered size and a failed one, it
    tries the middle. If many batches fail, the size is halved.

    Args:
        setting: UIDs per request, or `auto`.
        timeout: seconds after which a request is given up.
        most: UIDs per request.

    Attributes:
        now: UIDs per request.
        latency: latency of the last adopted size in its trial, in seconds.
    """

    def __init__(self, setting: int | Literal["auto"], timeout: float, most: int) -> None:
        self._most, self._timeout, self._slow = most, timeout, _SLOW_SHARE * timeout
        self._adapts = setting == "auto"
        self.now = START if setting == "auto" else int(setting)
        self._trial: int | None = None
        self._to_send = self._strikes = 0
        self._tried: list[float] = []  # ln seconds of its answers
        self._usual: list[float] = []  # ln seconds of others meanwhile, where nothing waits
        self.latency = math.inf
        self._before: tuple[int, float] | None = None  # the last size, and its UIDs per second
        self._failed: int | None = None  # a larger size that did
        self._next_trial, self._rest = -math.inf, _REST_SECONDS
        self._failures = 0.0
        self._answered = True  # whether a batch was answered since the last failure that counted

    def __repr__(self) -> str:
        """Show the size and the trial."""
        return f"BatchTrials({self.now}, trial {self._trial}, failed {self._failed})"

    def cut(self, fresh: int, most: float, now: float, *, may_try: bool) -> int:
        """Return the UIDs for the next batch; it may be a trial.

        Args:
            fresh: number of UIDs left.
            may_try: the flow is in a state in which a trial can be judged.
            most: number of UIDs whose answer fits into memory.
            now: the time.
        """
        if may_try and self.is_due(now) and self._larger() <= min(fresh, most):
            self._trial, self._to_send, self._strikes = self._larger(), _STRIKES, 0
        if self._trial is not None and self._to_send and self._trial <= fresh:
            self._to_send -= 1
            return self._trial
        return self.now

    def is_trial(self, uids: int) -> bool:
        """Return whether a batch belongs to a trial."""
        return uids == self._trial

    def is_usual(self, uids: int) -> bool:
        """Return whether a batch is about as large as most are now."""
        return self.now // 2 < uids <= self.now

    def answered(self, uids: int, seconds: float, now: float) -> None:
        """Record the latency of an answered batch."""
        self._answered = True
        if self.is_usual(uids):
            self._failures *= _MEMORY
        elif self.is_trial(uids):
            self._tried.append(math.log(max(seconds, 1e-3)))
            if seconds > self._slow:
                self._strike(now)

    def failed(self, uids: int, fault: Fault, now: float) -> None:
        """Record a failed batch; failures of sizes no longer in use are ignored."""
        if not self._adapts or fault in _NOT_OF_SIZE:
            return
        if self.is_trial(uids):
            if fault is Fault.TIMEOUT:
                self._tried.append(math.log(self._timeout))
            self._strikes += _STRIKES if fault is Fault.TOO_LARGE else 0
            self._strike(now)
        elif self.is_usual(uids):
            weight = _TIMEOUT_WEIGHT if fault is Fault.TIMEOUT else 1.0
            self._failures = self._failures * _MEMORY + weight * self._answered
            self._answered = False
            if self._failures >= _TOO_MANY or fault is Fault.TOO_LARGE:
                self._take(max(self.now // 2, 1))
                self._failed = self._before = None
                self._next_trial, self._rest = now, _REST_SECONDS

    def is_due(self, now: float) -> bool:
        """Return whether it is time for a trial."""
        due = self._adapts and self._trial is None and now >= self._next_trial
        return due and self._larger() > self.now

    def accept(self, per_second: float, now: float) -> bool:
        """Adopt the larger size if its trial was answered: at the rate limit it delivers more.

        Args:
            per_second: UIDs that arrive per second.
            now: the time.

        Returns:
            Whether it was adopted.
        """
        if not self._tried or min(self._tried) > math.log(self._slow):
            return False
        self._before = (self.now, per_second)
        self._grow(now)
        return True

    def compare(self, usual: Sequence[float], now: float) -> bool | None:
        """Judge a trial by latencies without queueing; adopt the size if the server delivers more.

        Args:
            usual: logarithms of the latencies of batches of the usual size, in seconds.
            now: the time.

        Returns:
            Whether the larger size was adopted; None if the trial needs more requests.
        """
        self._usual += usual
        if not self._tried:
            self.abandon()
            return False
        assert self._trial is not None
        doublings = math.log2(self._trial / self.now)
        longer = fmean(self._tried) - fmean(self._usual)
        share = math.exp(fmean(self._tried)) / self._timeout
        gain = math.log(self._trial / self.now) - longer
        needed = doublings * math.log1p(max(_LEAST_GAIN, _PAYS * share))
        if share > _LONG_SHARE:
            needed = math.inf
        error = _error(self._tried, self._usual)
        if len(self._tried) < _ENOUGH and abs(gain - needed) < error:
            self._to_send = _STRIKES
            return None
        if gain >= needed:
            self._grow(now)
            return True
        self._failed = None
        self.abandon()
        self._rest = max(self._rest, _NO_GAIN_REST)
        self._pause(now)
        return False

    def abandon(self) -> None:
        """Drop a trial that cannot be judged any more."""
        self._trial = None
        self._tried, self._usual = [], []

    def leave_if_slower(self, per_second: float, now: float) -> bool:
        """Return to the previous size if the current one delivers less; return whether it did."""
        if self._before is None:
            return False
        (size, before), self._before = self._before, None
        if per_second >= _LOSS * before:
            return False
        self._take(size)
        self._pause(now)
        return True

    def _grow(self, now: float) -> None:
        assert self._trial is not None
        self.latency = math.exp(fmean(self._tried))
        self._take(self._trial)
        if self._failed is None:
            self._rest = _REST_SECONDS
        else:
            self._rest_if_found(now)

    def _larger(self) -> int:
        larger = 2 * self.now if self._failed is None else (self.now + self._failed) // 2
        return min(larger, self._most)

    def _take(self, size: int) -> None:
        self.now, self._failures = size, 0.0
        self.abandon()

    def _strike(self, now: float) -> None:
        self._strikes += 1
        if self._strikes >= _STRIKES:
            self._failed = self._trial
            self.abandon()
            self._rest_if_found(now)

    def _rest_if_found(self, now: float) -> None:
        """Pause trials once no size is left between the answered and the failed one."""
        assert self._failed is not None
        if self._failed - self.now <= max(self.now // _NEAR, _STEP):
            self._failed = None
            self._pause(now)

    def _pause(self, now: float) -> None:
        self._next_trial = now + self._rest
        self._rest = min(2 * self._rest, _LONGEST_REST)


def _error(*samples: Sequence[float]) -> float:
    """Return the standard error of the difference of two means; 0 for single values."""
    means = [fmean(sample) for sample in samples]
    around = zip(samples, means, strict=True)
    deviation = spread([x - mean for sample, mean in around for x in sample])
    return deviation * math.sqrt(sum(1 / len(sample) for sample in samples))
