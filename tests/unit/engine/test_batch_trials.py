"""UIDs per request: trials of larger sizes, and sizes that are given up."""

from __future__ import annotations

import math

import pytest

from benchmarks.simulated_client import Harvest
from benchmarks.simulated_server import Slow
from harvester.engine.batch_trials import MOST, START, BatchTrials, requests_for
from harvester.engine.flow import Flow
from harvester.errors import Fault

TIMEOUT = 60.0
PLENTY = 10**9


def auto() -> BatchTrials:
    return BatchTrials("auto", TIMEOUT, MOST)


def cut(size: BatchTrials, now: float = 0.0, fresh: int = PLENTY) -> int:
    return size.cut(fresh, math.inf, now, may_try=True)


def logs(*seconds: float) -> list[float]:
    return [math.log(one) for one in seconds]


def test_requests_are_reckoned_by_the_size_that_batches_start_with() -> None:
    assert requests_for(1000, "auto") == 1000 / START
    assert requests_for(1000, 10) == 100


def test_two_requests_make_a_trial() -> None:
    size = auto()
    assert [cut(size) for _ in range(4)] == [2 * START, 2 * START, START, START]


def test_nothing_is_tried_before_the_limit_is_known() -> None:
    assert auto().cut(PLENTY, math.inf, 0.0, may_try=False) == START


def test_no_more_is_tried_than_fits_into_memory() -> None:
    assert auto().cut(PLENTY, 1.5 * START, 0.0, may_try=True) == START


def test_one_failure_of_a_trial_is_chance_two_are_not() -> None:
    size = auto()
    cut(size)
    size.failed(2 * START, Fault.SERVER, 1.0)
    size.answered(2 * START, 1.0, 1.0)
    assert size.accept(2000.0, 1.0)
    assert size.now == 2 * START
    cut(size)
    for _ in range(2):
        size.failed(4 * START, Fault.SERVER, 2.0)
    assert not size.accept(4000.0, 2.0)
    assert cut(size, 2.0) == 3 * START  # the middle is tried


def test_a_slow_answer_alone_does_not_prove_a_size() -> None:
    size = auto()
    cut(size)
    size.answered(2 * START, 0.6 * TIMEOUT, 40.0)
    assert not size.accept(2000.0, 40.0)
    size.answered(2 * START, 1.0, 41.0)
    assert size.accept(2000.0, 41.0)


def test_too_large_is_halved_at_once() -> None:
    size = auto()
    size.failed(START, Fault.TOO_LARGE, 1.0)
    assert size.now == START // 2


@pytest.mark.parametrize(("fault", "failures"), [(Fault.SERVER, 7), (Fault.TIMEOUT, 4)])
def test_failures_among_answers_halve_the_size(fault: Fault, failures: int) -> None:
    size = auto()
    count = 0
    while size.now == START:
        size.answered(1, 1.0, 1.0)
        size.failed(START, fault, 1.0)
        count += 1
    assert count == failures


def test_an_outage_does_not_halve_the_size() -> None:
    size = auto()
    for _ in range(50):
        size.failed(START, Fault.NETWORK, 1.0)
    assert size.now == START


def test_a_refusal_or_an_answer_left_out_says_nothing_about_the_size() -> None:
    size = auto()
    for _ in range(50):
        size.answered(1, 1.0, 1.0)
        size.failed(START, Fault.LEFT_OUT, 1.0)
    assert size.now == START


@pytest.mark.parametrize(
    ("usual", "trial", "taken"),
    [
        (0.9, 1.3, True),  # 0.5 s + 2 ms a UID: 38 % more UIDs per second
        (2.2, 4.2, True),  # 0.2 s + 10 ms a UID: 5 % more
        (2.0, 4.0, False),  # none more
        (2.0, 9.0, False),  # fewer
        (13.0, 13.0, True),  # latency is not work
        (11.0, 16.0, False),  # more than a quarter of the timeout
    ],
)
def test_while_the_server_limits_a_larger_size_must_deliver_more(
    usual: float, trial: float, *, taken: bool
) -> None:
    size = auto()
    cut(size)
    size.answered(2 * START, trial, 20.0)
    size.answered(2 * START, trial, 20.0)
    assert size.compare(logs(usual, usual, usual), 20.0) is taken
    assert size.now == (2 * START if taken else START)
    assert (cut(size, 20.0) > size.now) is taken  # what brought nothing rests


def test_scattered_latencies_take_more_requests() -> None:
    size = auto()
    cut(size), cut(size)
    assert cut(size) == START
    for seconds in (1.0, 3.0):
        size.answered(2 * START, seconds, 3.0)
    assert size.compare(logs(0.6, 1.0, 1.7), 3.0) is None
    assert [cut(size), cut(size)] == [2 * START, 2 * START]
    for _ in range(6):
        size.answered(2 * START, 1.0, 3.0)
    assert size.compare(logs(1.0), 3.0) is True


def test_a_size_that_delivers_less_than_the_one_before_is_left() -> None:
    size = auto()
    cut(size)
    size.answered(2 * START, 1.0, 1.0)
    assert size.accept(2000.0, 1.0)
    assert size.leave_if_slower(1500.0, 5.0)
    assert size.now == START
    assert not size.leave_if_slower(1500.0, 5.0)


def test_work_that_grows_faster_than_the_batch_keeps_batches_small() -> None:
    slow = Slow("", lambda uids, chance, now: 0.5 + 2e-6 * uids**2, 16)
    found = Harvest(slow, Flow(10.0, TIMEOUT)).run(600.0)
    assert found.per_second(300.0, 600.0) >= 0.95 * 16 * 800 / 1.78
    assert found.timeouts == 0
