"""Requests in flight and UIDs per request: rules one by one, and against simulated servers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated_client import PACE, PLENTY, RATE, Harvest
from benchmarks.simulated_server import Slow
from benchmarks.slow_servers import (
    changing,
    drawn,
    end_of_trouble,
    heavy_tailed,
    regained,
    steady,
)
from harvester.engine.batch_trials import MOST_MERGED, START
from harvester.engine.flow import BUDGET_BYTES, Flow
from harvester.errors import Fault

if TYPE_CHECKING:
    from benchmarks.simulated_server import Tally
    from harvester.engine.in_flight import Sent

MINUTE = 60.0
SMALL = steady(0.5, 0.002)
"""0.9 s for 200 UIDs."""


def flow(timeout: float = 60.0, **settings: int) -> Flow:
    return Flow(RATE, timeout, **settings)


def send(control: Flow, requests: int, now: float, uids: int = START) -> list[Sent]:
    """Send up to `requests` requests, while `may_send` permits."""
    sent: list[Sent] = []
    while len(sent) < requests and control.may_send(now):
        sent.append(control.sent(uids, now))
    return sent


def harvest(
    slow: Slow, seconds: float, timeout: float = 60.0, **settings: int
) -> tuple[Tally, Flow]:
    control = flow(timeout, **settings)
    return Harvest(slow, control, timeout=timeout).run(seconds), control


# --- rule 1: begin optimistic ---------------------------------------------------------------------


def test_begins_with_as_many_as_the_longest_usual_latency_needs() -> None:
    assert 130 <= len(send(flow(), 1000, 0.0)) <= 150


def test_begins_with_no_more_than_half_the_timeout_permits() -> None:
    assert len(send(flow(timeout=10.0), 1000, 0.0)) == 50


@pytest.mark.parametrize("latency", [0.8, 6.8, 13.0])
def test_latency_costs_nothing_of_the_rate(latency: float) -> None:
    found, control = harvest(Slow("", drawn(latency)), 100.0, batch_size=200)
    assert found.requests >= 0.99 * 100 * RATE * PACE
    assert control.limited_by == "rate"


# --- rule 2: waiting that we cause, and latency that we do not ------------------------------------


@pytest.mark.parametrize("service", [changing(0.8, 13.0, 3.0, 6.8), drawn(0.8, 6.8, 13.0)])
def test_changing_latency_does_not_slow_down(service: object) -> None:
    found, _ = harvest(Slow("", service), 20 * MINUTE, batch_size=200)  # type: ignore[arg-type]
    assert found.requests >= 0.99 * 20 * MINUTE * RATE * PACE


def test_a_few_slow_answers_do_not_slow_down() -> None:
    found, _ = harvest(Slow("", heavy_tailed(1.0, 40.0)), 10 * MINUTE, batch_size=200)
    assert found.requests >= 0.99 * 10 * MINUTE * RATE * PACE


# --- rules 3 and 4: busy, not more; and in time ---------------------------------------------------


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("timeout", [10.0, 60.0])
def test_small_server_is_busy_and_answers_in_time(workers: int, timeout: float) -> None:
    found, control = harvest(Slow("", SMALL, workers), 5 * MINUTE, timeout, batch_size=200)
    capacity = workers * 200 / 0.9
    assert found.per_second(MINUTE, 5 * MINUTE) >= 0.95 * capacity
    assert found.late == 0
    assert found.wasted <= 0.05
    assert control.limited_by == "server"
    assert workers <= control.limit(5 * MINUTE) <= 2 * workers + 2


def test_lost_capacity_is_noticed_and_used_again() -> None:
    slow = Slow("", SMALL, 16, loss=(600.0, 900.0))
    found, _ = harvest(slow, 20 * MINUTE)
    end = end_of_trouble(slow)
    assert end is not None
    assert regained(found, end) >= 0.9
    assert found.late <= 0.01 * found.requests


def test_a_silence_before_the_first_answers_is_not_taken_for_a_slow_server() -> None:
    control = flow()
    sent = send(control, 100, 0.0)
    for number, one in enumerate(sent[:10]):
        control.answered(one, 1, 13.0 + number / 10)
    assert len(send(control, 1000, 14.0)) >= 30


# --- rule 5: given up, yet in flight --------------------------------------------------------------


def test_a_request_given_up_counts_until_a_later_one_is_answered() -> None:
    control = flow(concurrency=3)
    first, second, third = send(control, 3, 0.0)
    control.timed_out(first, 60.0)
    assert not control.may_send(60.0)
    control.answered(third, 1, 61.0)
    assert len(send(control, 3, 61.0)) == 2
    assert control.in_flight == 3
    control.answered(second, 1, 62.0)


def test_a_request_given_up_is_forgotten_after_as_long_again() -> None:
    control = flow(concurrency=2)
    first, _ = send(control, 2, 0.0)
    control.timed_out(first, 60.0)
    assert not control.may_send(119.0)
    assert control.may_send(120.0)


def test_one_request_is_sent_even_if_all_were_given_up() -> None:
    control = flow(concurrency=2)
    for one in send(control, 2, 0.0):
        control.timed_out(one, 60.0)
    assert len(send(control, 5, 60.0)) == 1


# --- rule 6: refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(("workers", "queue"), [(4, 4), (4, 12), (4, 100), (8, 12), (16, 4)])
def test_full_server_refuses_few(workers: int, queue: int) -> None:
    found, _ = harvest(Slow("", SMALL, workers, queue=queue), 10 * MINUTE)
    assert found.refusals <= 0.02 * found.requests
    assert found.per_second(5 * MINUTE, 10 * MINUTE) >= 0.9 * workers * 3200 / 6.9


def test_a_429_at_full_pace_is_left_to_the_limiter() -> None:
    control = flow()
    for second in range(20):
        *others, last = send(control, int(RATE), float(second))
        control.rate_limited(last, second + 0.1)
        for one in others:
            control.answered(one, 1, second + 0.8)
    assert control.limit(20.0) >= 100


def test_a_429_at_low_pace_is_one_of_a_full_queue() -> None:
    control = flow()
    older = [control.sent(START, 2.0 * number) for number in range(8)]
    for seconds in (20.0, 22.0):
        control.rate_limited(control.sent(START, seconds), seconds)
    control.answered(older[0], 1, 23.0)
    assert control.limit(23.0) == 8


# --- rule 7: batches ------------------------------------------------------------------------------


def test_batches_grow_while_the_rate_limits() -> None:
    _, control = harvest(Slow("", drawn(0.8)), 2 * MINUTE)
    assert control.batch_size(PLENTY, 2 * MINUTE) == 5000


@pytest.mark.parametrize(
    ("slow", "capacity"),
    [
        pytest.param(Slow("", steady(2.0, 0.0), 3), 7500.0, id="three workers"),
        pytest.param(Slow("", steady(2.0, 0.0005), 3), 3300.0, id="three workers, 0.5 ms a UID"),
        pytest.param(Slow("", SMALL, 1, queue=0), 470.0, id="no queue"),
        pytest.param(Slow("", SMALL, 2, queue=0), 940.0, id="two workers, no queue"),
    ],
)
def test_batches_grow_where_the_window_never_settles(slow: Slow, capacity: float) -> None:
    """With so few in flight it goes up and down for ever, or refusals keep them fewer than it."""
    found, _ = harvest(slow, 20 * MINUTE)
    assert found.per_second(10 * MINUTE, 20 * MINUTE) >= 0.85 * capacity


def test_comma_lists_keep_their_limit() -> None:
    found, control = harvest(Slow("", drawn(0.8)), 2 * MINUTE, most=MOST_MERGED)
    assert control.batch_size(PLENTY, 2 * MINUTE) == MOST_MERGED
    assert max(uids for _, uids in found.answered) == MOST_MERGED


def test_a_batch_size_given_is_kept() -> None:
    found, _ = harvest(Slow("", SMALL, 4, queue=4), 2 * MINUTE, batch_size=300)
    assert {uids for _, uids in found.answered} == {300}


def test_size_that_fails_is_found_and_left() -> None:
    found, control = harvest(Slow("", drawn(1.0), most=400), 10 * MINUTE)
    assert 390 <= control.batch_size(399, 10 * MINUTE) <= 400
    assert found.per_second(5 * MINUTE, 10 * MINUTE) >= 0.97 * 400 * RATE * PACE


def test_batches_stop_growing_where_they_bring_nothing() -> None:
    found, control = harvest(Slow("", steady(0.2, 0.01), 4), 10 * MINUTE)
    assert control.batch_size(START, 10 * MINUTE) <= 800
    assert found.per_second(5 * MINUTE, 10 * MINUTE) >= 0.93 * 400  # the most: 100 UIDs/s each
    assert found.timeouts == 0


def test_no_trial_is_begun_that_uses_up_all_fresh_uids() -> None:
    _, control = harvest(Slow("", drawn(0.8)), 3.0)
    assert control.batch_size(2 * START - 1, 3.0) == START


# --- rule 8: memory -------------------------------------------------------------------------------


def test_answers_in_flight_fit_into_the_budget() -> None:
    control = flow()
    control.answered(control.sent(START, 0.0), START * 10_000, 1.0)
    sent = send(control, 1000, 1.0)
    assert sum(one.uids for one in sent) * 10_000 <= BUDGET_BYTES * 1.01
    assert control.limited_by == "memory"


def test_answers_on_their_way_to_disk_count() -> None:
    control = flow()
    control.answered(control.sent(START, 0.0), START * 1000, 1.0)
    assert control.may_send(1.0, pending=BUDGET_BYTES // 2)
    assert not control.may_send(1.0, pending=BUDGET_BYTES)


def test_one_answer_larger_than_the_budget_is_still_asked_for() -> None:
    control = flow()
    control.answered(control.sent(START, 0.0), 2 * BUDGET_BYTES, 1.0)
    assert len(send(control, 5, 1.0)) == 1


# --- settings, and random events ---------------------------------------------------------------


def test_concurrency_given_is_never_exceeded_and_is_named_as_the_limit() -> None:
    found, control = harvest(Slow("", drawn(6.8)), 2 * MINUTE, concurrency=3, batch_size=200)
    assert found.requests <= 3 * (2 * MINUTE / 6.8 + 1)
    assert control.limited_by == "concurrency"


ENDS = st.sampled_from(["answered", "timed out", "refused", "failed", "dropped"])


@settings(max_examples=200, deadline=None)
@given(
    script=st.lists(st.tuples(st.floats(0, 20), st.integers(0, 200), ENDS), max_size=150),
    concurrency=st.integers(1, 50),
)
def test_whatever_happens_requests_go_on_within_the_limits(
    script: list[tuple[float, int, str]], concurrency: int
) -> None:
    control, now = flow(concurrency=concurrency), 0.0
    live: list[Sent] = []
    for seconds, which, end in script:
        while control.may_send(now):
            size = control.batch_size(PLENTY, now)
            assert 1 <= size <= 5000
            live.append(control.sent(size, now))
            assert len(live) == control.in_flight <= concurrency
        assert live  # something is in flight, so the run goes on
        now += seconds
        one = live.pop(which % len(live))
        match end:
            case "answered":
                control.answered(one, 100 * one.uids, now)
            case "timed out":
                control.timed_out(one, now)
            case "refused":
                control.refused(one, now)
            case "failed":
                control.failed(one, Fault.SERVER, now)
            case _:
                control.dropped(one, now)
        assert math.isfinite(control.limit(now))
