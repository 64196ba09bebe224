"""How many UIDs ride on one request: a fixed number, or one that finds itself while running."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from harvester.errors import Fault

if TYPE_CHECKING:
    from harvester.errors import RequestFailed

START = 200
"""UIDs a request that NCBI's own text and its users find safe (NBK25499; field reports)."""

_MOST = 1000
_STEP = 10
_SLOW_SHARE = 0.25  # of the timeout: an answer slower than this is no reason to ask for more
_LARGE_BODY = 8 << 20
_SIZE_FAULTS = frozenset({Fault.TIMEOUT, Fault.TOO_LARGE, Fault.BODY, Fault.NETWORK})


def requests_for(uids: int, setting: int | Literal["auto"]) -> float:
    """About how many requests so many UIDs need, by the size that batches start with."""
    return uids / (START if setting == "auto" else setting)


class BatchSize:
    """The size for the next batch: more by a step after a good full one, half after a bad one.

    Args:
        setting: UIDs a request, or `auto`.
        timeout: seconds after which a request is given up.
    """

    def __init__(self, setting: int | Literal["auto"], timeout: float) -> None:
        self._adapts = setting == "auto"
        self._size = float(START if setting == "auto" else setting)
        self._slow = timeout * _SLOW_SHARE

    @property
    def now(self) -> int:
        """UIDs for a batch cut at this moment."""
        return int(self._size)

    def answered(self, uids: int, seconds: float, size: int) -> None:
        """A batch of `uids` was answered after `seconds` by `size` bytes."""
        full = uids >= self.now
        if self._adapts and full and seconds < self._slow and size < _LARGE_BODY:
            self._size = min(self._size + _STEP, _MOST)

    def failed(self, uids: int, failure: RequestFailed) -> None:
        """A batch of `uids` failed.

        What a smaller one would not have survived either does not count, nor does a batch cut
        before the last change of size.
        """
        if self._adapts and failure.fault in _SIZE_FAULTS and self.now // 2 < uids <= self.now:
            self._size = max(self._size / 2, 1.0)
