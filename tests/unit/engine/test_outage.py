"""Telling an outage from bad UIDs."""

from __future__ import annotations

from itertools import islice, pairwise

import numpy as np
import pytest

from harvester.engine.outage import SUSPICIOUS, Suspects, probe_delays
from harvester.errors import Fault, RequestFailed
from harvester.model.batch import Batch


def _held(count: int) -> Suspects:
    suspects = Suspects()
    for uid in range(1, count + 1):
        failure = RequestFailed(Fault.SERVER, f"HTTP 50{uid}")
        suspects.add(Batch(np.array([uid]), "json"), failure)
    return suspects


def test_suspects_are_released_once_with_their_failures() -> None:
    suspects = _held(3)
    released = suspects.release()
    found = [(batch.uids.tolist(), failure.reason) for batch, failure in released]
    assert found == [([1], "HTTP 501"), ([2], "HTTP 502"), ([3], "HTTP 503")]
    assert suspects.release() == []


def test_an_answer_clears_only_what_failed_before_it_was_asked_for() -> None:
    """What was asked before an outage may be answered in the midst of it."""
    suspects = Suspects()
    for uid, at in ((1, 10.0), (2, 20.0), (3, 30.0)):
        suspects.add(Batch(np.array([uid]), "json"), RequestFailed(Fault.SERVER, "x"), at)
    assert [batch.uids.tolist() for batch, _ in suspects.release(20.0)] == [[1], [2]]
    assert suspects.need_control(idle=True)
    assert [batch.uids.tolist() for batch, _ in suspects.release()] == [[3]]


def test_a_control_question_is_needed_when_many_failed_in_a_row() -> None:
    assert not _held(SUSPICIOUS - 1).need_control(idle=False)
    assert _held(SUSPICIOUS).need_control(idle=False)


def test_a_control_question_is_needed_when_nobody_else_will_tell() -> None:
    assert _held(1).need_control(idle=True)
    assert not _held(0).need_control(idle=True)


def test_no_control_question_after_the_release() -> None:
    suspects = _held(SUSPICIOUS)
    suspects.release()
    assert not suspects.need_control(idle=True)


def test_probes_come_at_once_and_then_more_and_more_seldom_up_to_five_minutes() -> None:
    probes = list(islice(probe_delays(), 40))
    delays = [delay for delay, _ in probes]
    assert delays[0] == 0.0
    assert delays == sorted(delays)
    assert delays[-1] == 300.0
    outage = [delay for delay, is_outage in probes if is_outage]
    assert outage[0] == 5.0
    assert all(later <= 2 * earlier for earlier, later in pairwise(outage))


def test_an_outage_once_declared_is_not_taken_back() -> None:
    declared = [is_outage for _, is_outage in islice(probe_delays(), 40)]
    assert declared == sorted(declared)
    assert declared[0] is False
    assert declared[-1] is True


def test_each_outage_begins_anew() -> None:
    assert list(islice(probe_delays(), 12)) == list(islice(probe_delays(), 12))


def _failed(fault: Fault, *asked: int) -> Suspects:
    suspects = Suspects()
    batch = Batch(np.array(asked, np.int64), "json")
    suspects.add(batch, RequestFailed(fault, "x"))
    return suspects


@pytest.mark.parametrize("fault", [Fault.SERVER, Fault.NETWORK, Fault.TIMEOUT])
def test_each_of_those_that_failed_is_a_witness_once(fault: Fault) -> None:
    """Also after they were released and failed again."""
    suspects = _failed(fault, 3, 5)
    witnesses = [suspects.witness() for _ in range(2)]
    held = suspects.release()
    for batch, failure in held:
        suspects.add(batch, failure)
    assert [w.tolist() for w in witnesses if w is not None] == [[3], [5]]
    assert suspects.witness() is None


@pytest.mark.parametrize("fault", [Fault.LEFT_OUT, Fault.LINKSET, Fault.BODY])
def test_what_may_well_be_the_uids_own_fault_needs_no_witness(fault: Fault) -> None:
    assert _failed(fault, 3, 5).witness() is None
