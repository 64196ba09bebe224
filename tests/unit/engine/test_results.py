"""Verdicts carried out: settled UIDs are delivered, the others are put back."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.link_rows import links_of, links_table

from harvester import events
from harvester.engine.frontier import Frontier
from harvester.engine.results import Results
from harvester.errors import Fault, RequestFailed
from harvester.job.groups import Limits
from harvester.model import uids
from harvester.model.answer import Answer
from harvester.model.batch import Batch
from harvester.model.delivery import AnsweredUids, UnansweredUids
from harvester.model.rows import RunLengthRows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.model.delivery import Delivery


BODY = b"an answer as it came"


class _Results:
    """A Results with all its collaborators in memory."""

    def __init__(self, **limits: Any) -> None:
        self.frontier = Frontier(uids.as_set(), "json")
        self.deliveries: list[Delivery] = []
        self.events: list[events.Event] = []
        self.results = Results(
            self.frontier, Limits(**limits), self.deliveries.append, self.events.append
        )

    def delivered(self) -> dict[str, list[int]]:
        """Return UIDs by outcome."""
        found: dict[str, list[int]] = {"linked": [], "empty": [], "missing": [], "failed": []}
        for delivery in self.deliveries:
            match delivery:
                case AnsweredUids():
                    found["linked"] += delivery.uids[delivery.counts > 0].tolist()
                    found["empty"] += delivery.uids[delivery.counts == 0].tolist()
                case UnansweredUids():
                    found[delivery.outcome.value] += delivery.uids.tolist()
        return found

    def settled(self) -> Counter[str]:
        """Return the events that listeners received."""
        told: Counter[str] = Counter()
        for event in self.events:
            if isinstance(event, events.UidsSettled):
                told.update(event.outcomes)
        return +told

    def next(self) -> Batch:
        """Return the next batch to retry, at any later time."""
        batch = self.frontier.take(asyncio.get_running_loop().time() + 10_000, lambda _: 1000)
        assert batch is not None
        return batch

    def nothing_left(self) -> bool:
        return self.frontier.ready_at(0.0) is None


def _batch(*members: int) -> Batch:
    return Batch(np.array(sorted(members), np.int64), "json")


def _answer(links: Mapping[int, int], left_out: tuple[int, ...] = ()) -> Answer:
    """Return an answer in which each UID has a number of links."""
    answered = sorted(links)
    rows = [row for uid in answered for row in links_of(uid, each=links[uid])]
    return Answer(
        rows=RunLengthRows.from_table(links_table(rows)),
        answered=np.array(answered, np.int64),
        counts=np.array([links[uid] for uid in answered], np.int64),
        broken={},
        left_out=np.array(left_out, np.int64),
        unrequested=0,
    )


async def test_a_whole_answer_settles_all() -> None:
    desk = _Results()
    desk.results.take(_batch(1, 2, 3), _answer({1: 2, 2: 0, 3: 1}), BODY)
    assert desk.delivered() == {"linked": [1, 3], "empty": [2], "missing": [], "failed": []}
    assert desk.settled() == {"linked": 2, "empty": 1}
    assert desk.nothing_left()
    (delivery,) = desk.deliveries
    assert isinstance(delivery, AnsweredUids)
    assert delivery.rows.to_table().to_pylist() == [*links_of(1), *links_of(3, each=1)]


@pytest.mark.parametrize("times", [1, 3])
async def test_uids_without_links_wait_until_they_are_confirmed(times: int) -> None:
    desk = _Results(confirm_empty=times)
    desk.results.take(_batch(1, 2), _answer({1: 1, 2: 0}), BODY)
    for _ in range(times):
        assert desk.delivered() == {"linked": [1], "empty": [], "missing": [], "failed": []}
        batch = desk.next()
        assert batch.uids.tolist() == [2]
        desk.results.take(batch, _answer({2: 0}), BODY)
    assert desk.delivered()["empty"] == [2]
    assert desk.settled() == {"linked": 1, "empty": 1}
    assert desk.nothing_left()


async def test_links_that_come_when_confirming_count() -> None:
    desk = _Results(confirm_empty=2)
    desk.results.take(_batch(2), _answer({2: 0}), BODY)
    desk.results.take(desk.next(), _answer({2: 3}), BODY)
    assert desk.delivered() == {"linked": [2], "empty": [], "missing": [], "failed": []}
    assert desk.nothing_left()


async def test_uids_left_out_are_asked_again_and_then_missing() -> None:
    desk = _Results(max_attempts=3)
    desk.results.take(_batch(1, 2, 3, 4), _answer({1: 1, 3: 0}, left_out=(2, 4)), BODY)
    assert desk.delivered() == {"linked": [1], "empty": [3], "missing": [], "failed": []}
    while not desk.nothing_left():
        batch = desk.next()
        known = {uid: 1 for uid in batch.uids.tolist() if uid == 4}
        out = tuple(uid for uid in batch.uids.tolist() if uid == 2)
        desk.results.take(batch, _answer(known, left_out=out), BODY)
    assert desk.delivered() == {"linked": [1, 4], "empty": [3], "missing": [2], "failed": []}
    assert desk.settled() == {"linked": 2, "empty": 1, "missing": 1}


async def test_a_uid_out_of_attempts_has_failed_with_its_reason() -> None:
    desk = _Results(max_attempts=2)
    failure = RequestFailed(Fault.SERVER, "HTTP 500")
    desk.results.charge(_batch(7), failure)
    assert desk.deliveries == []
    desk.results.charge(desk.next(), failure)
    assert desk.delivered()["failed"] == [7]
    (delivery,) = desk.deliveries
    assert isinstance(delivery, UnansweredUids)
    assert delivery.reason == "HTTP 500"
    assert desk.nothing_left()


async def test_what_is_asked_again_is_told_with_its_reason() -> None:
    desk = _Results()
    desk.results.charge(_batch(1, 2, 3), RequestFailed(Fault.SERVER, "HTTP 502"))
    (event,) = desk.events
    assert isinstance(event, events.BatchRetried)
    assert (event.uids, event.reason) == (3, "HTTP 502")


async def test_an_answer_with_nothing_in_it_settles_nothing() -> None:
    desk = _Results()
    desk.results.take(_batch(1, 2), _answer({}, left_out=(1, 2)), BODY)
    assert desk.deliveries == []
    assert not desk.nothing_left()
