"""The batches after a failed or partial answer: each rule, then whole histories of batches."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harvester.client.backoff import backoff
from harvester.engine.retry import Retry, after_empty, after_failure, after_left_out, broken_part
from harvester.errors import Fault, RequestFailed
from harvester.model.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from random import Random

    from harvester.model.batch import Retmode

_LONGEST = 30.0
_AGAIN = [Fault.NETWORK, Fault.TIMEOUT, Fault.SERVER, Fault.BODY]


def _batch(uids: Collection[int], **been_through: int) -> Batch:
    return Batch(np.array(sorted(uids), np.int64), "json", **been_through)


def _failure(fault: Fault = Fault.SERVER, retry_after: float | None = None) -> RequestFailed:
    return RequestFailed(fault, "HTTP 500", retry_after)


def _uids(retries: Sequence[Retry]) -> list[list[int]]:
    return [retry.batch.uids.tolist() for retry in retries]


# --- the pause ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tries", "most"), [(1, 0.5), (2, 1.0), (3, 2.0), (4, 4.0), (7, 30.0), (50, 30.0), (5000, 30.0)]
)
def test_pauses_double_up_to_half_a_minute(tries: int, most: float) -> None:
    assert backoff(tries, lambda: 1.0) == most
    assert backoff(tries, lambda: 0.0) == 0.0
    assert backoff(tries, lambda: 0.25) == most / 4


def test_pauses_differ_from_each_other() -> None:
    drawn = [backoff(3) for _ in range(200)]
    assert 0.0 <= min(drawn) < 0.5
    assert 1.5 < max(drawn) <= 2.0


@given(st.integers(0, 20), st.floats(0.1, 3600), st.floats(0, 1))
def test_a_servers_retry_after_is_waited_out_in_full(
    tries: int, retry_after: float, jitter: float
) -> None:
    batch = _batch(range(1, 9), tries=tries)
    retries = after_failure(batch, _failure(retry_after=retry_after), 99, lambda: jitter)
    assert retries
    assert all(retry_after <= retry.delay <= retry_after + _LONGEST for retry in retries)


# --- a request failed -----------------------------------------------------------------------


@pytest.mark.parametrize("fault", _AGAIN)
def test_the_second_try_is_the_whole_batch_and_the_third_its_halves(fault: Fault) -> None:
    first = after_failure(_batch(range(1, 11)), _failure(fault), 6)
    assert _uids(first) == [list(range(1, 11))]
    second = after_failure(first[0].batch, _failure(fault), 6)
    assert _uids(second) == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10]]
    third = after_failure(second[1].batch, _failure(fault), 6)
    assert _uids(third) == [[6, 7, 8], [9, 10]]


def test_a_batch_that_is_too_large_is_halved_at_once() -> None:
    assert _uids(after_failure(_batch([1, 2, 3]), _failure(Fault.TOO_LARGE), 6)) == [[1, 2], [3]]


@pytest.mark.parametrize("attempts", [1, 2, 6])
@pytest.mark.parametrize("fault", [*_AGAIN, Fault.TOO_LARGE])
def test_a_uid_alone_has_so_many_attempts(fault: Fault, attempts: int) -> None:
    batch = _batch([7])
    for _ in range(attempts - 1):
        (retry,) = after_failure(batch, _failure(fault), attempts)
        batch = retry.batch
        assert batch.uids.tolist() == [7]
    assert after_failure(batch, _failure(fault), attempts) == []


@pytest.mark.parametrize("size", [2, 3, 5, 9])
def test_a_uid_newly_alone_has_all_its_attempts(size: int) -> None:
    """Also a UID that is alone because an odd batch was halved."""
    retries = after_failure(_batch(range(1, size + 1), tries=30), _failure(), 6)
    while any(len(retry.batch) > 1 for retry in retries):
        retries = [
            piece
            for retry in retries
            for piece in (
                [retry] if len(retry.batch) == 1 else after_failure(retry.batch, _failure(), 6)
            )
        ]
    assert sorted(_uids(retries)) == [[uid] for uid in range(1, size + 1)]
    assert [retry.batch.tries for retry in retries] == [0] * size


@pytest.mark.parametrize(("asked_in", "next_in"), [("json", "xml"), ("xml", "json")])
def test_what_cannot_be_read_is_asked_in_the_other_form(asked_in: Retmode, next_in: str) -> None:
    batch = Batch(np.arange(1, 5), asked_in, tries=1)
    failure = _failure(Fault.BODY)
    failure.unreadable = True
    retries = after_failure(batch, failure, 6)
    assert [retry.batch.retmode for retry in retries] == [next_in, next_in]


@pytest.mark.parametrize("fault", Fault)
def test_other_failures_keep_the_form(fault: Fault) -> None:
    for tries in (0, 1, 5):
        retries = after_failure(Batch(np.arange(1, 5), "xml", tries), _failure(fault), 9)
        assert {retry.batch.retmode for retry in retries} == {"xml"}


# --- left out, or empty ---------------------------------------------------------------------


def test_uids_left_out_are_asked_in_ever_smaller_batches_and_at_last_alone() -> None:
    sizes = []
    batch = _batch(range(1, 201))
    while retries := after_left_out(batch, batch.uids, 6):
        batch = max((retry.batch for retry in retries), key=len)
        sizes.append(len(batch))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < 200
    assert sizes[-1] == 1


@pytest.mark.parametrize("attempts", [1, 2, 3])
def test_with_few_attempts_they_are_alone_the_sooner(attempts: int) -> None:
    batch = _batch(range(1, 201), left_out=max(attempts - 2, 0))
    assert _uids(after_left_out(batch, batch.uids, attempts)) == [[uid] for uid in range(1, 201)]


def test_only_those_left_out_are_asked_again() -> None:
    left_out = np.array([3, 50, 77], np.int64)
    again = _uids(after_left_out(_batch(range(1, 101)), left_out, 6))
    assert sorted(uid for uids in again for uid in uids) == [3, 50, 77]


@pytest.mark.parametrize("attempts", [1, 2, 3, 6])
def test_no_uid_is_missing_that_was_never_asked_alone(attempts: int) -> None:
    batch = _batch(range(1, 10))
    assert after_left_out(batch, batch.uids, attempts)
    assert after_left_out(_batch([1], left_out=attempts - 1), np.array([1]), attempts) == []


@pytest.mark.parametrize("times", [0, 1, 3])
def test_uids_without_links_are_confirmed_as_often_as_asked(times: int) -> None:
    batch, asked = _batch([1, 2, 3]), 0
    while retries := after_empty(batch, np.array([1, 3]), times):
        (retry,) = retries
        assert retry.batch.uids.tolist() == [1, 3]
        assert 0.0 <= retry.delay <= _LONGEST
        batch, asked = retry.batch, asked + 1
    assert asked == times


def test_nothing_is_confirmed_where_all_have_links() -> None:
    assert after_empty(_batch([1, 2]), np.empty(0, np.int64), 5) == []


# --- an ERROR inside a LinkSet ---------------------------------------------------------------


def test_an_error_inside_a_linkset_counts_for_its_uid_alone() -> None:
    part = broken_part(_batch(range(1, 201)), {7: "Error calling ExLink server.", 3: "x\ny"})
    assert part is not None
    batch, failure = part
    assert batch.uids.tolist() == [3, 7]
    assert failure.fault is Fault.LINKSET
    assert failure.reason == "ERROR in its LinkSet: x y"
    assert broken_part(_batch([1, 2]), {}) is None


@pytest.mark.parametrize("tries", [1, 5, 9])
def test_a_uid_broken_in_a_batch_that_failed_before_has_all_its_attempts(tries: int) -> None:
    part = broken_part(_batch(range(1, 11), tries=tries), {3: "x"})
    assert part is not None
    batch, failure = part
    asked_again = 0
    while retries := after_failure(batch, failure, 6):
        batch, asked_again = retries[0].batch, asked_again + 1
    assert asked_again >= 5


# --- whole lives ----------------------------------------------------------------------------


class _Server:
    """Fails for every batch with a bad UID, leaves out unknown ones, and counts requests."""

    def __init__(self, poison: Collection[int], unknown: Collection[int], fault: Fault) -> None:
        self.poison, self.unknown, self.fault = set(poison), set(unknown), fault
        self.requests = 0
        self.alone: Counter[int] = Counter()
        self.forgets: Callable[[int], bool] = lambda _: False

    def ask(self, batch: Batch) -> tuple[list[int], list[int]] | RequestFailed:
        """Return the UIDs answered and left out."""
        self.requests += 1
        asked = batch.uids.tolist()
        if len(asked) == 1:
            self.alone[asked[0]] += 1
        if self.poison.intersection(asked):
            return _failure(self.fault)
        out = [uid for uid in asked if uid in self.unknown or self.forgets(uid)]
        return [uid for uid in asked if uid not in out], out


def _run_to_the_end(server: _Server, uids: Collection[int], attempts: int) -> dict[str, list[int]]:
    """Request until the end, as the engine does; return the UIDs by outcome."""
    fates: dict[str, list[int]] = {"answered": [], "failed": [], "missing": []}
    todo = [_batch(uids)]
    while todo:
        assert server.requests < 50_000, "no end"
        batch = todo.pop()
        match server.ask(batch):
            case RequestFailed() as failure:
                again = after_failure(batch, failure, attempts)
                if not again:
                    fates["failed"] += batch.uids.tolist()
            case (answered, left_out):
                fates["answered"] += answered
                again = after_left_out(batch, np.array(left_out, np.int64), attempts)
                again = again if left_out else []
                if left_out and not again:
                    fates["missing"] += left_out
        todo += [retry.batch for retry in again]
    return {fate: sorted(found) for fate, found in fates.items()}


_ALL = st.sets(st.integers(1, 10**9), min_size=1, max_size=300)
_SOME = st.sets(st.integers(0, 10**4), max_size=6)


def _picked(uids: set[int], numbers: set[int]) -> set[int]:
    """Return some members of a set, chosen by numbers."""
    ordered = sorted(uids)
    return {ordered[number % len(ordered)] for number in numbers}


@given(_ALL, _SOME, st.integers(1, 7), st.sampled_from([*_AGAIN, Fault.TOO_LARGE]))
def test_bad_uids_are_isolated_and_all_others_answered_once(
    uids: set[int], numbers: set[int], attempts: int, fault: Fault
) -> None:
    poison = _picked(uids, numbers)
    server = _Server(poison, (), fault)
    fates = _run_to_the_end(server, uids, attempts)
    assert fates == {
        "answered": sorted(uids - poison),
        "failed": sorted(poison),
        "missing": [],
    }
    assert all(server.alone[uid] == attempts for uid in poison)
    levels = math.ceil(math.log2(len(uids)))
    assert server.requests <= 2 + len(poison) * (2 * levels + attempts)


@given(_ALL, _SOME, st.integers(1, 7))
def test_what_the_server_does_not_know_is_missing_and_nothing_else(
    uids: set[int], numbers: set[int], attempts: int
) -> None:
    unknown = _picked(uids, numbers)
    server = _Server((), unknown, Fault.SERVER)
    fates = _run_to_the_end(server, uids, attempts)
    assert fates == {
        "answered": sorted(uids - unknown),
        "failed": [],
        "missing": sorted(unknown),
    }
    assert all(server.alone[uid] >= 1 for uid in unknown)
    assert server.requests <= 1 + len(unknown) * max(attempts, 2)


@given(_ALL, st.integers(2, 7), st.randoms(use_true_random=False))
def test_a_uid_left_out_sometimes_is_answered_in_the_end(
    uids: set[int], attempts: int, random: Random
) -> None:
    """Each UID is left out fewer times than it has attempts."""
    left = {uid: random.randrange(attempts) for uid in uids}

    def forgets(uid: int) -> bool:
        left[uid] -= 1
        return left[uid] >= 0

    server = _Server((), (), Fault.SERVER)
    server.forgets = forgets
    fates = _run_to_the_end(server, uids, attempts)
    assert fates == {"answered": sorted(uids), "failed": [], "missing": []}


@given(_ALL, _SOME, _SOME, st.integers(2, 6))
def test_bad_and_unknown_uids_do_not_affect_each_other(
    uids: set[int], numbers: set[int], others: set[int], attempts: int
) -> None:
    poison = _picked(uids, numbers)
    unknown = _picked(uids, others) - poison
    fates = _run_to_the_end(_Server(poison, unknown, Fault.SERVER), uids, attempts)
    assert fates == {
        "answered": sorted(uids - poison - unknown),
        "failed": sorted(poison),
        "missing": sorted(unknown),
    }
