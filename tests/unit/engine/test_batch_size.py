"""How many UIDs ride on one request: against a server whose best size is known."""

from __future__ import annotations

import random
from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.engine.batch_size import MOST, START, BatchSize
from harvester.errors import Fault, RequestFailed

TIMEOUT = 60.0
PLENTY = 10**9


class _Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class _Server:
    """Ten requests a second; what was too large comes back in two halves, as the engine does it.

    Args:
        most: UIDs of a request that it stands.
        chance: share of the requests that fail whatever their size.
        down: seconds from and to which all requests fail.
    """

    def __init__(
        self, most: int, chance: float = 0.0, down: tuple[float, float] = (0.0, 0.0)
    ) -> None:
        self._most, self._chance, self._down = most, chance, down
        self._roll = random.Random(1).random
        self.answered: list[tuple[float, int]] = []
        self.sizes: list[tuple[float, int]] = []

    def harvest(self, size: BatchSize, clock: _Clock, seconds: float) -> None:
        """Ask for so long; a request takes half a second and 10 ms a UID."""
        flying: list[tuple[float, int]] = []
        again: list[int] = []
        for tick in range(int(seconds * 10)):
            now = tick / 10
            while flying and flying[0][0] <= now:
                clock.now, uids = heappop(flying)
                if uids > self._most:
                    size.failed(uids, _failure(Fault.TIMEOUT))
                    again += [uids // 2, uids - uids // 2]
                elif self._roll() < self._chance or self._is_down(clock.now):
                    size.failed(uids, _failure(Fault.SERVER))
                    again.append(uids)
                else:
                    size.answered(uids, 0.5 + 0.01 * uids, 100 * uids)
                    self.answered.append((clock.now, uids))
            clock.now = now
            uids = again.pop(0) if again else size.cut(PLENTY)
            self.sizes.append((now, size.now))
            heappush(flying, (now + 0.5 + 0.01 * uids, uids))

    def _is_down(self, now: float) -> bool:
        return self._down[0] <= now < self._down[1]

    def uids(self) -> int:
        return sum(uids for _, uids in self.answered)


def _failure(fault: Fault) -> RequestFailed:
    return RequestFailed(fault, "no")


def _auto(clock: _Clock | None = None) -> BatchSize:
    return BatchSize("auto", TIMEOUT, clock or _Clock())


def _fixed(size: int, server: _Server, seconds: float) -> int:
    clock = _Clock()
    server.harvest(BatchSize(size, TIMEOUT, clock), clock, seconds)
    return server.uids()


def _found(server: _Server, seconds: float) -> int:
    clock = _Clock()
    server.harvest(_auto(clock), clock, seconds)
    return server.uids()


@pytest.mark.parametrize("chance", [0.0, 0.01, 0.05])
@pytest.mark.parametrize(("most", "share"), [(60, 0.95), (400, 0.95), (417, 0.95), (999, 0.85)])
def test_in_ten_minutes_it_brings_about_what_the_best_size_does(
    most: int, share: float, chance: float
) -> None:
    best = _fixed(most, _Server(most, chance), 600)
    found = _found(_Server(most, chance), 600)
    assert found >= share * best, found / best


def test_after_a_minute_in_which_all_failed_it_is_soon_as_large_as_before() -> None:
    server = _Server(400, down=(200, 260))
    _found(server, 400)
    assert min(size for now, size in server.sizes if 205 < now < 260) <= 200
    assert min(size for now, size in server.sizes if now > 300) > 380


def test_from_a_single_uid_it_is_back_within_a_minute() -> None:
    clock = _Clock()
    size = _auto(clock)
    while size.now > 1:
        size.failed(size.now, _failure(Fault.TIMEOUT))
    _Server(400).harvest(size, clock, 60)
    assert size.now > 380


def test_one_batch_at_a_time_is_a_trial() -> None:
    server = _Server(400)
    clock = _Clock()
    server.harvest(_auto(clock), clock, 600)
    assert max(size for _, size in server.sizes) <= 400
    failed = 600 * 10 - len(server.answered)
    assert failed < 200  # all that is in flight at the end, 45 of them, and the trials with halves


def test_it_starts_with_what_users_find_safe() -> None:
    assert _auto().now == START == 200


@given(st.lists(st.tuples(st.integers(1, 6000), st.sampled_from([*Fault, None]))))
def test_a_fixed_size_stays(events: list[tuple[int, Fault | None]]) -> None:
    size = BatchSize(37, TIMEOUT, _Clock())
    for uids, fault in events:
        if fault is None:
            size.answered(uids, 0.1, 1000)
        else:
            size.failed(uids, _failure(fault))
        assert size.cut(PLENTY) == 37


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([*Fault, None]), st.floats(0, 500))))
def test_whatever_happens_it_stays_within_bounds(
    events: list[tuple[bool, Fault | None, float]],
) -> None:
    clock = _Clock()
    size = _auto(clock)
    for usual, fault, pause in events:
        clock.now += pause
        uids = size.now if usual else size.cut(PLENTY)
        if fault is None:
            size.answered(uids, 1.0, 1000)
        else:
            size.failed(uids, _failure(fault))
        assert 1 <= size.now <= MOST
        assert 1 <= size.cut(PLENTY) <= MOST


@pytest.mark.parametrize(
    ("seconds", "size"), [(TIMEOUT / 2, 1000), (1.0, 8 << 20)], ids=["slow", "large"]
)
def test_a_trial_answered_late_or_by_very_much_is_not_followed(seconds: float, size: int) -> None:
    batch_size = _auto()
    trial = batch_size.cut(PLENTY)
    assert trial > START
    batch_size.answered(trial, seconds, size)
    assert batch_size.now == START
    assert START < batch_size.cut(PLENTY) < trial


def test_a_trial_is_not_cut_of_too_few_uids() -> None:
    size = _auto()
    assert [size.cut(250), size.cut(PLENTY), size.cut(PLENTY)] == [START, 2 * START, START]


def test_a_trial_that_was_refused_is_made_again() -> None:
    """It says nothing of its size, but it is over."""
    size = _auto()
    trial = size.cut(PLENTY)
    size.failed(trial, _failure(Fault.REFUSAL))
    assert size.cut(PLENTY) == trial > START


def test_too_large_is_believed_at_once() -> None:
    size = _auto()
    size.failed(START, _failure(Fault.TOO_LARGE))
    assert size.now == START // 2


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.BODY, Fault.NETWORK, Fault.SERVER])
def test_many_failures_halve_it_and_those_of_one_moment_once(fault: Fault) -> None:
    """Thirty batches of 200 were under way when the server went: that is one event."""
    size = _auto()
    size.failed(START, _failure(fault))
    assert size.now == START
    for _ in range(30):
        size.failed(START, _failure(fault))
    assert size.now == START // 2


def test_refusals_and_small_batches_say_nothing_of_size() -> None:
    size = _auto()
    for _ in range(30):
        size.failed(START, _failure(Fault.REFUSAL))
        size.failed(1, _failure(Fault.TIMEOUT))
    assert size.now == START
