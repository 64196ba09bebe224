"""How many UIDs ride on one request."""

from __future__ import annotations

import pytest

from harvester.errors import Fault, RequestFailed
from harvester.sizing import START, BatchSize

_SMALLER_HELPS = [Fault.TIMEOUT, Fault.TOO_LARGE, Fault.BODY, Fault.NETWORK]
_NO_MATTER_OF_SIZE = [Fault.SERVER, Fault.REFUSAL]


def _failure(fault: Fault) -> RequestFailed:
    return RequestFailed(fault, "no")


def test_it_starts_with_what_users_find_safe() -> None:
    assert BatchSize("auto", 60).now == START == 200


def test_a_fixed_size_stays() -> None:
    size = BatchSize(37, 60)
    for fault in Fault:
        size.failed(37, _failure(fault))
        size.answered(37, 0.1, 1000)
    assert size.now == 37


def test_good_full_batches_make_it_grow_up_to_a_bound() -> None:
    size = BatchSize("auto", 60)
    sizes = []
    for _ in range(500):
        size.answered(size.now, 1.0, 10_000)
        sizes.append(size.now)
    assert sizes == sorted(sizes)
    assert sizes[0] > START
    assert sizes[-1] == sizes[-2] <= 5000  # ELink's own text calls 5,000 ids a limit


@pytest.mark.parametrize(
    ("uids", "seconds", "size"),
    [(150, 1.0, 1000), (200, 15.0, 1000), (200, 1.0, 8 << 20)],
    ids=["not full", "slow", "large"],
)
def test_other_answers_do_not(uids: int, seconds: float, size: int) -> None:
    batch_size = BatchSize("auto", 60)
    for _ in range(20):
        batch_size.answered(uids, seconds, size)
    assert batch_size.now == START


@pytest.mark.parametrize("fault", _SMALLER_HELPS)
def test_a_failure_that_a_smaller_batch_may_survive_halves_it(fault: Fault) -> None:
    size = BatchSize("auto", 60)
    size.failed(200, _failure(fault))
    assert size.now == 100


@pytest.mark.parametrize("fault", _NO_MATTER_OF_SIZE)
def test_other_failures_do_not(fault: Fault) -> None:
    size = BatchSize("auto", 60)
    size.failed(200, _failure(fault))
    assert size.now == START


def test_failures_of_one_moment_halve_it_once() -> None:
    """Thirty batches of 200 were under way when the server went: that is one event."""
    size = BatchSize("auto", 60)
    for _ in range(30):
        size.failed(200, _failure(Fault.NETWORK))
    assert size.now == 100


def test_the_failure_of_a_small_batch_says_nothing_of_size() -> None:
    size = BatchSize("auto", 60)
    size.failed(1, _failure(Fault.TIMEOUT))
    assert size.now == START


def test_it_never_falls_below_one_and_recovers() -> None:
    size = BatchSize("auto", 60)
    for _ in range(30):
        size.failed(size.now, _failure(Fault.TIMEOUT))
    assert size.now == 1
    for _ in range(40):
        size.answered(size.now, 1.0, 100)
    assert size.now >= START
