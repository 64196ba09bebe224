"""Capacity, queue and service times as a model: exact times, without a clock."""

from __future__ import annotations

import math
from random import Random
from statistics import quantiles

import pytest

from harvester.emulator.service.capacity import Capacity
from harvester.emulator.service.latency import read_latency
from harvester.emulator.service.pool import Pool


def served(
    pool: Pool[str], jobs: list[tuple[str, float, float]], until: float
) -> dict[str, object]:
    """Return begin and end of each job; None for rejected jobs.

    Args:
        pool: serves the jobs.
        jobs: name, service time and time of arrival, in order of arrival.
        until: when the pool is looked at last.
    """
    begun: dict[str, object] = {}
    ended = []
    for name, seconds, now in jobs:
        ended += pool.advance(now)
        if pool.submit(name, seconds, now) is None:
            begun[name] = None
    for job in [*ended, *pool.advance(until)]:
        begun[job.request] = (job.began, job.ended)
    return begun


def test_jobs_wait_in_the_order_of_their_arrival() -> None:
    pool: Pool[str] = Pool(Capacity(2))
    jobs = [("a", 5.0, 0.0), ("b", 1.0, 0.0), ("c", 1.0, 0.5), ("d", 1.0, 0.6), ("e", 1.0, 0.7)]
    assert served(pool, jobs, 100.0) == {
        "a": (0.0, 5.0),
        "b": (0.0, 1.0),
        "c": (1.0, 2.0),
        "d": (2.0, 3.0),
        "e": (3.0, 4.0),
    }


def test_results_do_not_depend_on_when_the_pool_is_polled() -> None:
    """A busy machine polls late; the capacity of the server stays the same."""
    often: Pool[str] = Pool(Capacity.read("2,1@3-6"))
    rarely: Pool[str] = Pool(Capacity.read("2,1@3-6"))
    jobs = [(str(number), 0.75, 0.0) for number in range(20)]
    for pool in (often, rarely):
        for name, seconds, now in jobs:
            pool.submit(name, seconds, now)
    ended = [job for step in range(1000) for job in often.advance(step / 50)]
    assert len(ended) == 20
    assert ended == rarely.advance(100.0)


def test_the_queue_rejects_what_is_beyond_it() -> None:
    pool: Pool[str] = Pool(Capacity(1), queue=2)
    jobs = [(name, 1.0, 0.0) for name in "abcd"] + [("e", 1.0, 1.0), ("f", 1.0, 1.0)]
    assert served(pool, jobs, 100.0) == {
        "a": (0.0, 1.0),
        "b": (1.0, 2.0),
        "c": (2.0, 3.0),
        "d": None,
        "e": (3.0, 4.0),
        "f": None,
    }


def test_no_queue_rejects_whatever_finds_no_free_worker() -> None:
    pool: Pool[str] = Pool(Capacity(1), queue=0)
    jobs = [("a", 1.0, 0.0), ("b", 1.0, 0.5), ("c", 1.0, 1.0)]
    assert served(pool, jobs, 9.0) == {"a": (0.0, 1.0), "b": None, "c": (1.0, 2.0)}


def test_capacity_that_is_lost_ends_its_service_and_takes_no_other() -> None:
    pool: Pool[int] = Pool(Capacity.read("4,1@10-20"), start=1000.0)
    for number in range(40):
        pool.submit(number, 2.0, 1000.0)
    began = [job.began for job in pool.advance(1100.0)]
    assert began == [
        *[1000.0 + second for second in (0, 2, 4, 6, 8) for _ in range(4)],
        *[1000.0 + second for second in (10, 12, 14, 16, 18)],
        *[1000.0 + second for second in (20, 22, 24) for _ in range(4)],
        *[1026.0] * 3,
    ]


def test_no_worker_at_all_lets_everything_wait() -> None:
    pool: Pool[str] = Pool(Capacity.read("1,0@0-7"))
    assert served(pool, [("a", 1.0, 0.0)], 6.9) == {}
    assert pool.waiting == 1
    (job,) = pool.advance(8.0)
    assert (job.began, job.ended) == (7.0, 8.0)


def test_without_a_number_of_workers_nothing_waits() -> None:
    pool: Pool[str] = Pool(Capacity.read(None), queue=0)
    jobs = [(str(number), 1.0, 0.0) for number in range(1000)]
    assert set(served(pool, jobs, 1.0).values()) == {(0.0, 1.0)}


@pytest.mark.parametrize(
    ("spelling", "second", "workers", "change"),
    [
        ("16", 5.0, 16, math.inf),
        (3, 5.0, 3, math.inf),
        ("16,4@60-360", 59.9, 16, 60.0),
        ("16,4@60-360", 60.0, 4, 360.0),
        ("16,4@60-360", 360.0, 16, math.inf),
        ("16, 4@1.5-3, 0@2-2.5", 2.0, 0, 2.5),
    ],
)
def test_capacity_is_read(spelling: str | int, second: float, workers: int, change: float) -> None:
    capacity = Capacity.read(spelling)
    assert (capacity.at(second), capacity.next_change(second)) == (workers, change)


@pytest.mark.parametrize("spelling", ["", "-1", "x", "4,", "4,2", "4,2@5", "4,2@5-5", "4,2@9-5"])
def test_a_wrong_capacity_is_rejected(spelling: str) -> None:
    with pytest.raises(ValueError, match="such as 16,4@60-360"):
        Capacity.read(spelling)


def test_latency_is_drawn_by_seed() -> None:
    latency = read_latency("0.8,6.8,13")
    draws = [[latency.draw(random) for _ in range(50)] for random in (Random(4), Random(4))]
    assert draws[0] == draws[1]
    assert set(draws[0]) == {0.8, 6.8, 13.0}
    assert read_latency((0.8, 6.8, 13.0)) == latency
    assert read_latency("").draw(Random(1)) == 0.0


def test_lognormal_latency_has_the_quantiles_that_it_names() -> None:
    random = Random(1)
    latency = read_latency("lognormal:1,40")
    percentiles = quantiles((latency.draw(random) for _ in range(200_000)), n=100)
    assert percentiles[49] == pytest.approx(1.0, rel=0.05)
    assert percentiles[98] == pytest.approx(40.0, rel=0.1)
    assert read_latency("lognormal:2,2").draw(random) == pytest.approx(2.0)


@pytest.mark.parametrize(
    "spelling", ["x", "1,y", "-1", "inf", "lognormal:1", "lognormal:40,1", "lognormal:0,1", "a:1,2"]
)
def test_a_wrong_latency_is_rejected(spelling: str) -> None:
    with pytest.raises(ValueError, match="is not a latency"):
        read_latency(spelling)
