"""The order in which UIDs and batches are requested."""

from __future__ import annotations

from functools import partial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from harvester.engine.frontier import Frontier
from harvester.engine.retry import Retry
from harvester.model import uids
from harvester.model.batch import Batch


def _frontier(*members: int) -> Frontier:
    return Frontier(uids.as_set(members), "json")


def _retry(*members: int, delay: float = 0.0) -> Retry:
    return Retry(Batch(np.array(members, np.int64), "xml", tries=3), delay)


def _taken(frontier: Frontier, now: float, size: int = 10) -> list[int] | None:
    batch = frontier.take(now, lambda _: size)
    return None if batch is None else batch.uids.tolist()


def test_fresh_uids_come_in_order_and_in_the_size_asked_for() -> None:
    frontier = _frontier(5, 1, 3, 2, 4)
    assert [_taken(frontier, 0.0, size) for size in (2, 1, 10)] == [[1, 2], [3], [4, 5]]
    assert _taken(frontier, 0.0) is None


def test_fresh_uids_are_asked_in_the_form_of_the_job() -> None:
    batch = Frontier(uids.as_set([1]), "xml").take(0.0, lambda _: 5)
    assert batch is not None
    assert (batch.retmode, batch.tries, batch.left_out, batch.confirmed) == ("xml", 0, 0, 0)


def test_a_batch_comes_back_as_it_was_when_its_pause_is_over() -> None:
    frontier = _frontier()
    retry = _retry(7, 8, delay=2.0)
    frontier.put(retry, now=100.0)
    assert _taken(frontier, 101.9) is None
    assert frontier.take(102.0, lambda _: 1) is retry.batch


def test_what_failed_goes_before_what_is_fresh() -> None:
    frontier = _frontier(1, 2)
    frontier.put(_retry(9, delay=1.0), now=0.0)
    assert _taken(frontier, 0.5) == [1, 2]
    assert _taken(frontier, 1.0) == [9]


def test_batches_come_back_in_the_order_of_their_times() -> None:
    frontier = _frontier()
    for uid, delay in ((1, 3.0), (2, 1.0), (3, 2.0), (4, 1.0)):
        frontier.put(_retry(uid, delay=delay), now=0.0)
    assert [_taken(frontier, 10.0) for _ in range(5)] == [[2], [4], [3], [1], None]


def test_ready_at_tells_now_later_or_never() -> None:
    frontier = _frontier()
    assert frontier.ready_at(5.0) is None
    frontier.put(_retry(1, delay=3.0), now=5.0)
    assert frontier.ready_at(5.0) == 8.0
    assert frontier.ready_at(9.0) == 9.0
    assert _frontier(1).ready_at(5.0) == 5.0


def test_fresh_counts_only_what_was_never_asked() -> None:
    frontier = _frontier(1, 2, 3)
    frontier.put(_retry(9), now=0.0)
    assert frontier.fresh == 3
    alone = frontier.take_fresh()
    assert alone is not None
    assert alone.uids.tolist() == [1]
    assert frontier.fresh == 2
    assert repr(frontier) == "Frontier(2 fresh, 1 batches again)"


def test_no_fresh_uid_when_all_were_asked() -> None:
    frontier = _frontier()
    frontier.put(_retry(9), now=0.0)
    assert frontier.take_fresh() is None


@given(
    st.sets(st.integers(1, 1000), max_size=60),
    st.lists(st.tuples(st.floats(0, 50), st.integers(1, 9)), max_size=60),
)
def test_nothing_is_lost_or_taken_twice(members: set[int], steps: list[tuple[float, int]]) -> None:
    """Every batch is put back once, then kept."""
    frontier = Frontier(uids.as_set(members), "json")
    now = 0.0
    kept: list[int] = []
    for pause, size in [*steps, *[(100.0, 1000)] * 200]:
        now += pause
        ready = frontier.ready_at(now)
        batch = frontier.take(now, partial(min, size))
        assert (batch is not None) == (ready is not None and ready <= now)
        if batch is None:
            continue
        if batch.tries == 0:
            frontier.put(Retry(Batch(batch.uids, "json", tries=1), pause), now)
        else:
            kept += batch.uids.tolist()
    assert sorted(kept) == sorted(members)
