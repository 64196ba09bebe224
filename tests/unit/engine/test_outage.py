"""The circuit breaker distinguishes an outage from bad UIDs by the order of requests."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from harvester.client.backoff import probe_delays
from harvester.engine.outage import (
    EXCUSES,
    OPEN_AFTER,
    REFUSALS,
    REFUSED_SECONDS,
    CircuitBreaker,
    Suspect,
    Verdict,
)
from harvester.engine.witnesses import LONE_PROBES, Probe
from harvester.errors import Fault, RequestFailed
from harvester.model.batch import Batch
from harvester.model.uids import as_set

KNOWN = as_set(range(1000, 1100))


def _failure(fault: Fault = Fault.SERVER) -> RequestFailed:
    return RequestFailed(fault, "HTTP 503")


def _suspect(
    *uids: int, fault: Fault = Fault.SERVER, only: bool = False, excused: int = 0
) -> Suspect:
    batch = Batch(np.array(uids, np.int64), "json", excused=excused)
    return Suspect(batch, _failure(fault), only)


def _fail(breaker: CircuitBreaker, suspect: Suspect) -> list[Verdict]:
    return breaker.failed(breaker.sent(), suspect.failure, suspect)


def _answer(breaker: CircuitBreaker, *uids: int) -> list[Verdict]:
    return breaker.answered(breaker.sent(), uids or (1,))


def _found(verdicts: list[Verdict]) -> list[tuple[list[int], bool]]:
    return [(one.suspect.batch.uids.tolist(), one.charged) for one in verdicts]


def _opened(breaker: CircuitBreaker, *, first: int = 1) -> None:
    for uid in range(first, first + OPEN_AFTER):
        assert _fail(breaker, _suspect(uid)) == []
    assert breaker.is_open


# --- verdicts -----------------------------------------------------------------------------------


def test_a_failure_between_two_answers_is_charged() -> None:
    breaker = CircuitBreaker()
    _answer(breaker)
    assert _fail(breaker, _suspect(5)) == []
    assert _found(_answer(breaker)) == [([5], True)]
    assert not breaker.holds


def test_order_counts_not_when_an_answer_is_noticed() -> None:
    """An answer to a request sent before an outage may be processed after its failures."""
    breaker = CircuitBreaker()
    _answer(breaker)
    before, failing = breaker.sent(), breaker.sent()
    suspect = _suspect(5)
    assert breaker.failed(failing, suspect.failure, suspect) == []
    assert breaker.answered(before, (1,)) == []
    assert breaker.holds
    assert _found(_answer(breaker)) == [([5], True)]


def test_a_failure_is_not_judged_while_a_neighbour_is_pending() -> None:
    breaker = CircuitBreaker()
    _answer(breaker)
    pending = breaker.sent()
    assert _fail(breaker, _suspect(5)) == []
    assert _answer(breaker) == []
    assert _found(breaker.answered(pending, (2,))) == [([5], True)]


def test_a_neighbour_that_met_the_rate_limit_is_passed_over() -> None:
    breaker = CircuitBreaker()
    _answer(breaker)
    limited = breaker.sent()
    _fail(breaker, _suspect(5))
    assert breaker.ignored(limited) == []
    assert _found(_answer(breaker)) == [([5], True)]


def test_failures_in_a_row_are_excused() -> None:
    breaker = CircuitBreaker()
    _answer(breaker)
    _fail(breaker, _suspect(5))
    _fail(breaker, _suspect(6))
    assert _found(_answer(breaker)) == [([5], False), ([6], False)]


def test_the_first_request_of_a_run_is_excused_since_nothing_was_answered_before() -> None:
    breaker = CircuitBreaker()
    _fail(breaker, _suspect(5))
    assert _found(_answer(breaker)) == [([5], False)]


def test_a_batch_excused_too_often_is_tried_between_controls() -> None:
    breaker = CircuitBreaker(KNOWN)
    _answer(breaker)
    _fail(breaker, _suspect(5, excused=EXCUSES))
    _fail(breaker, _suspect(6))
    assert _found(_answer(breaker)) == [([6], False)]
    trial = breaker.next_trial(idle=False)
    assert isinstance(trial, Suspect)
    _fail(breaker, trial)
    assert isinstance(breaker.next_trial(idle=False), Probe)
    assert _found(_answer(breaker)) == [([5], True)]
    assert not breaker.holds


def test_a_uid_with_one_attempt_is_charged_by_a_trial_only() -> None:
    breaker = CircuitBreaker()
    _answer(breaker)
    _fail(breaker, _suspect(5, only=True))
    assert _answer(breaker) == []
    trial = breaker.next_trial(idle=False)
    assert isinstance(trial, Suspect)
    _fail(breaker, Suspect(trial.batch, trial.failure, only=True))
    assert isinstance(breaker.next_trial(idle=False), Probe)
    assert _found(_answer(breaker)) == [([5], True)]


@pytest.mark.parametrize("fault", [Fault.LEFT_OUT, Fault.LINKSET])
def test_a_fault_in_a_valid_answer_is_charged_also_in_a_row(fault: Fault) -> None:
    breaker = CircuitBreaker()
    _answer(breaker)
    for uid in (5, 6, 7):
        _fail(breaker, _suspect(uid, fault=fault, only=True))
    assert _found(_answer(breaker)) == [([5], True), ([6], True), ([7], True)]


def test_a_fault_in_a_valid_answer_is_excused_if_a_probe_failed_beside_it() -> None:
    breaker = CircuitBreaker()
    _answer(breaker)
    _fail(breaker, _suspect(5, fault=Fault.LEFT_OUT))
    breaker.failed(breaker.sent(), _failure())
    assert _found(_answer(breaker)) == [([5], False)]


def test_nothing_is_remembered_once_all_is_judged() -> None:
    breaker = CircuitBreaker()
    for uid in range(1, 2000):
        _answer(breaker, uid)
        if uid % 3 == 0:
            _fail(breaker, _suspect(uid))
    _answer(breaker)
    assert len(breaker._sent) == 0


# --- the circuit --------------------------------------------------------------------------------


def test_failures_without_an_answer_between_them_open_the_circuit() -> None:
    breaker = CircuitBreaker()
    for uid in range(OPEN_AFTER - 1):
        _fail(breaker, _suspect(uid + 1))
    assert not breaker.is_open
    _answer(breaker)
    _opened(breaker, first=100)
    assert breaker.reason == "HTTP 503"


def test_after_an_outage_everything_that_failed_is_sent_again_between_controls() -> None:
    breaker = CircuitBreaker(KNOWN)
    _answer(breaker)
    _opened(breaker)
    breaker.failed(breaker.sent(), _failure())  # a probe
    assert _answer(breaker) == []  # the next one
    breaker.close()
    sent = []
    while breaker.holds:
        trial = breaker.next_trial(idle=False)
        sent.append(trial)
        assert _answer(breaker) == []  # any answer: nothing is charged
    uids = [one.batch.uids.tolist() for one in sent if isinstance(one, Suspect)]
    assert uids == [[uid] for uid in range(1, OPEN_AFTER + 1)]
    kinds = [isinstance(one, Suspect) for one in sent]
    assert all(earlier != later for earlier, later in pairwise(kinds))


def test_of_bad_uids_only_those_are_charged_that_fail_between_answered_controls() -> None:
    breaker = CircuitBreaker(KNOWN)
    _answer(breaker)
    _opened(breaker)
    _answer(breaker)
    breaker.close()
    verdicts: list[Verdict] = []
    while trial := breaker.next_trial(idle=False):
        if isinstance(trial, Suspect) and trial.batch.uids[0] % 2:
            verdicts += _fail(breaker, trial)
        else:
            verdicts += _answer(breaker)
    assert _found(verdicts) == [([uid], True) for uid in range(1, OPEN_AFTER + 1, 2)]


def test_a_control_that_fails_opens_the_circuit_again_and_charges_nothing() -> None:
    breaker = CircuitBreaker(KNOWN)
    _answer(breaker)
    _opened(breaker)
    _answer(breaker)
    breaker.close()
    trial = breaker.next_trial(idle=False)
    assert isinstance(trial, Suspect)
    assert _fail(breaker, trial) == []
    assert breaker.failed(breaker.sent(), _failure()) == []
    assert breaker.is_open
    assert _answer(breaker) == []
    breaker.close()
    again = [breaker.next_trial(idle=False) for _ in range(2 * OPEN_AFTER)]
    uids = [one.batch.uids[0] for one in again if isinstance(one, Suspect)]
    assert sorted(uids) == list(range(1, OPEN_AFTER + 1))


def test_when_idle_a_control_judges_what_is_held() -> None:
    breaker = CircuitBreaker(KNOWN)
    _answer(breaker)
    _fail(breaker, _suspect(5))
    assert breaker.next_trial(idle=False) is None
    assert isinstance(breaker.next_trial(idle=True), Probe)
    assert _found(_answer(breaker)) == [([5], True)]


# --- whom to ask --------------------------------------------------------------------------------


def test_witnesses_are_uids_from_all_over_what_was_answered_before() -> None:
    breaker = CircuitBreaker(KNOWN)
    asked = [breaker.probe(fresh=True).uid for _ in range(4)]
    assert asked == [1000, 1050, 1099, 1000]


def test_a_witness_that_fails_gives_way_to_the_others() -> None:
    breaker = CircuitBreaker(as_set([1, 2]))
    assert breaker.probe(fresh=False).uid == 1
    assert breaker.probe(fresh=False).uid == 2
    assert breaker.probe(fresh=True) == Probe(fresh=True)


def test_without_witnesses_the_uids_that_failed_are_asked_for_once_each_then_einfo() -> None:
    breaker = CircuitBreaker()
    _fail(breaker, _suspect(7, 9))
    found = [breaker.probe(fresh=False) for _ in range(3)]
    assert found == [Probe(7), Probe(9), Probe()]


def test_many_lone_uids_that_fail_leave_it_to_einfo() -> None:
    breaker = CircuitBreaker()
    _fail(breaker, _suspect(*range(1, 100)))
    found = [breaker.probe(fresh=False) for _ in range(LONE_PROBES + 1)]
    assert found == [*(Probe(uid) for uid in range(1, LONE_PROBES + 1)), Probe()]


def test_einfo_is_the_probe_until_a_uid_is_answered() -> None:
    breaker = CircuitBreaker()
    _fail(breaker, _suspect(7))
    assert breaker.probe(fresh=False) == Probe(7)
    assert breaker.probe(fresh=False) == Probe()
    breaker.answered(breaker.sent())
    assert breaker.probe(fresh=True) == Probe()
    _answer(breaker, 3)
    assert breaker.probe(fresh=True) == Probe(3)


# --- refusals -----------------------------------------------------------------------------------


def test_refusals_in_a_row_end_a_run_in_which_nothing_was_answered() -> None:
    breaker = CircuitBreaker(KNOWN)
    found = [breaker.refuses(_failure(Fault.REFUSAL), 0.0) for _ in range(REFUSALS)]
    assert found == [False] * (REFUSALS - 1) + [True]


def test_a_server_that_answered_refuses_only_if_it_does_so_for_minutes() -> None:
    breaker = CircuitBreaker()
    _answer(breaker)
    assert not any(breaker.refuses(_failure(Fault.REFUSAL), float(at)) for at in range(20))
    assert breaker.refuses(_failure(Fault.REFUSAL), REFUSED_SECONDS)


def test_another_failure_or_an_answer_between_them_ends_a_row_of_refusals() -> None:
    breaker = CircuitBreaker()
    for between in (lambda: breaker.refuses(_failure(), 0.0), lambda: _answer(breaker)):
        for _ in range(REFUSALS - 1):
            assert not breaker.refuses(_failure(Fault.REFUSAL), 0.0)
        between()


# --- intervals ----------------------------------------------------------------------------------


def test_probes_come_at_once_and_then_at_growing_intervals_up_to_five_minutes() -> None:
    probes = list(islice(probe_delays(), 40))
    delays = [delay for delay, _ in probes]
    assert delays[0] == 0.0
    assert delays == sorted(delays)
    assert delays[-1] == 300.0
    outage = [delay for delay, is_outage in probes if is_outage]
    assert outage[0] == 5.0
    assert all(later <= 2 * earlier for earlier, later in pairwise(outage))
