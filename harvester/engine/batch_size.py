"""How many UIDs ride on one request: a fixed number, or one that finds itself while running.

The rate is limited in requests, so the largest batch that the server stands gives the most UIDs a
second, and how long it takes does not matter: more are in flight then. Larger sizes are tried with
one batch at a time, which is all that a failure costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from harvester.errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.errors import RequestFailed

START = 200
"""UIDs a request that NCBI's own text and its users find safe (NBK25499; field reports)."""

MOST = 5000
"""UIDs a request that NCBI calls a reasonable limit (Entrez Programming Utilities Help, ch. 3)."""

MOST_MERGED = 1000
"""UIDs of a comma list: of larger sets on the History server some were found empty (recorded)."""

_NEAR = 50  # a size is found once it is known to a fiftieth, or to _STEP
_STEP = 5
_REST_SECONDS = 30.0  # until a size that failed is tried again, doubled each time up to _LONGEST
_LONGEST = 900.0
_SLOW_SHARE = 0.5  # of the timeout: a size whose answer takes longer is too large
_LARGE_BODY = 2 << 20  # bytes; more than a hundred of them may be in memory
_MEMORY = 0.95  # how much of a failure is left after another batch: twenty batches count, roughly
_TOO_MANY = 6.0  # failures among them that are not chance
_NOT_OF_SIZE = frozenset({Fault.REFUSAL, Fault.LEFT_OUT})


def requests_for(uids: int, setting: int | Literal["auto"]) -> float:
    """About how many requests so many UIDs need, by the size that batches start with."""
    return uids / (START if setting == "auto" else setting)


class BatchSize:
    """The size for the next batch.

    A size that was answered is doubled by the next trial; between one that was answered and one
    that failed, the middle is tried. The size falls to a half where many batches fail.

    Args:
        setting: UIDs a request, or `auto`.
        timeout: seconds after which a request is given up.
        clock: seconds.
        most: UIDs a request.
    """

    def __init__(
        self,
        setting: int | Literal["auto"],
        timeout: float,
        clock: Callable[[], float],
        most: int = MOST,
    ) -> None:
        self._most = most
        self._adapts = setting == "auto"
        self.now = START if setting == "auto" else int(setting)
        self._slow = timeout * _SLOW_SHARE
        self._clock = clock
        self._trial: int | None = None  # in flight
        self._failed: int | None = None  # a larger size that did
        self._next_trial = clock()
        self._rest = _REST_SECONDS
        self._failures = 0.0

    def __repr__(self) -> str:
        """For logs and tests."""
        return f"BatchSize({self.now}, trial {self._trial}, failed {self._failed})"

    def cut(self, fresh: int) -> int:
        """UIDs for a batch cut now, where there are so many; it may be a trial."""
        if not self._adapts or self._trial is not None or self._clock() < self._next_trial:
            return self.now
        larger = self._larger()
        if larger <= self.now or larger > fresh:
            return self.now
        self._trial = larger
        return larger

    def answered(self, uids: int, seconds: float, size: int) -> None:
        """A batch of `uids` was answered after `seconds` by `size` bytes."""
        if uids == self._trial:
            self._trial = None
            if seconds < self._slow and size < _LARGE_BODY:
                self._grow(uids)
            else:
                self._stay(uids)
        elif self._is_usual(uids):
            self._failures *= _MEMORY

    def failed(self, uids: int, failure: RequestFailed) -> None:
        """A batch of `uids` failed; of those cut before the last change of size nothing is said."""
        is_trial = uids == self._trial
        if is_trial:
            self._trial = None
        if not self._adapts or failure.fault in _NOT_OF_SIZE:
            return
        if is_trial:
            self._stay(uids)
        elif self._is_usual(uids):
            self._failures = self._failures * _MEMORY + 1
            if self._failures >= _TOO_MANY or failure.fault is Fault.TOO_LARGE:
                self._fall()

    def _is_usual(self, uids: int) -> bool:
        return self.now // 2 < uids <= self.now

    def _larger(self) -> int:
        if self._failed is None:
            return min(2 * self.now, self._most)
        return (self.now + self._failed) // 2

    def _grow(self, size: int) -> None:
        self.now, self._failures = max(size, self.now), 0.0
        if self._failed is None:
            self._rest = _REST_SECONDS
        else:
            self._see_found()

    def _stay(self, failed: int) -> None:
        self._failed = failed
        self._see_found()

    def _see_found(self) -> None:
        """Rest, once there is nothing between what is answered and what fails."""
        assert self._failed is not None
        if self._failed - self.now <= max(self.now // _NEAR, _STEP):
            self._failed = None
            self._next_trial = self._clock() + self._rest
            self._rest = min(2 * self._rest, _LONGEST)

    def _fall(self) -> None:
        self.now, self._failures = max(self.now // 2, 1), 0.0
        self._trial = self._failed = None
        self._next_trial, self._rest = self._clock(), _REST_SECONDS
