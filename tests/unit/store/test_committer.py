"""Deliveries become permanent: rows, outcomes and counts agree."""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from support.link_rows import links_of, links_table, read_part

from harvester import events
from harvester.model.delivery import AnsweredUids, RawResponse, UnansweredUids
from harvester.model.outcomes import Outcome
from harvester.model.rows import RunLengthRows
from harvester.store import committer as committer_module
from harvester.store.committer import Committer
from harvester.store.ledger import Ledger
from harvester.store.sinks import make_sink
from harvester.testing import run_in_fake_time

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "out", make_sink("jsonl", "none"), "pubmed") as book:
        yield book


def _committer(book: Ledger, heard: list[events.Event] | None = None) -> Committer:
    said = [] if heard is None else heard
    return Committer(book, said.append, lambda: {"progress": '{"state": "running"}'})


def _ignore_event(_: events.Event) -> None:
    """Ignore an event."""


def _answered(*uids: int, links: int = 2) -> AnsweredUids:
    """Return a delivery of UIDs with `links` links each."""
    return AnsweredUids(
        np.array(uids, np.int64),
        np.full(len(uids), links, np.int64),
        RunLengthRows.from_table(links_table(links_of(*uids, each=links))),
    )


def _unanswered(outcome: Outcome, reason: str, *uids: int) -> UnansweredUids:
    return UnansweredUids(np.array(uids, np.int64), outcome, reason)


def _rows(book: Ledger, kind: str) -> list[dict[str, Any]]:
    return [row for part in book.state.parts(kind) for row in read_part(book.folder / part.name)]


async def test_deliveries_become_rows_and_outcomes_together(book: Ledger) -> None:
    heard: list[events.Event] = []
    with closing(_committer(book, heard)) as committer:
        committer.add(_answered(3, 1))
        committer.add(_answered(2, links=0))
        committer.add(_unanswered(Outcome.FAILED, "HTTP 500", 9))
        committer.add(_unanswered(Outcome.MISSING, "left out", 8))
        committer.add(_unanswered(Outcome.FAILED, "HTTP 500", 7))
        assert book.state.parts() == []
        await committer.commit()
    assert book.state.outcomes() == {"linked": 2, "empty": 1, "failed": 2, "missing": 1}
    assert list(book.state.done()) == [1, 2, 3, 7, 8, 9]
    assert _rows(book, "links") == links_of(3, 1)
    found = {row["from_uid"]: (row["outcome"], row["links"]) for row in _rows(book, "uids")}
    assert found == {3: ("linked", 2), 1: ("linked", 2), 2: ("empty", 0)}
    unanswered = {(s.outcome, s.reason, tuple(s.uids)) for s in book.state.unanswered()}
    assert unanswered == {("failed", "HTTP 500", (7, 9)), ("missing", "left out", (8,))}
    (committed,) = heard
    assert isinstance(committed, events.PartCommitted)
    assert (committed.links, committed.uids) == (4, 6)


async def test_each_delivery_is_committed_once(book: Ledger) -> None:
    with closing(_committer(book)) as committer:
        for uid in range(1, 6):
            committer.add(_answered(uid))
            await committer.commit()
            await committer.commit()
    assert Counter(row["from_uid"] for row in _rows(book, "links")) == dict.fromkeys(range(1, 6), 2)
    assert book.state.outcomes() == {"linked": 5}


async def test_what_comes_in_during_a_commit_is_in_the_next(book: Ledger) -> None:
    with closing(_committer(book)) as committer:
        committer.add(_answered(1))
        commit = asyncio.create_task(committer.commit())
        await asyncio.sleep(0)
        committer.add(_answered(2))
        await commit
        await committer.commit()
    assert [row["from_uid"] for row in _rows(book, "uids")] == [1, 2]


async def test_told_to_stop_it_commits_what_there_is(book: Ledger) -> None:
    with closing(_committer(book)) as committer:
        running = asyncio.create_task(committer.run())
        await asyncio.sleep(0)
        committer.add(_answered(1, 2))
        committer.stop()
        await asyncio.wait_for(running, 10)
    assert list(book.state.done()) == [1, 2]


def test_a_delivery_waits_for_a_commit_at_most_the_interval(book: Ledger) -> None:
    """Twenty UIDs per second for two simulated minutes: a crash loses at most those of 8 s."""
    given: deque[float] = deque()
    waits: list[float] = []

    async def play() -> None:
        now = asyncio.get_running_loop().time

        def committed(event: events.Event) -> None:
            assert isinstance(event, events.PartCommitted)
            waits.extend(now() - given.popleft() for _ in range(event.uids))

        with closing(Committer(book, committed, lambda: {"progress": "{}"})) as committer:
            running = asyncio.create_task(committer.run())
            for uid in range(1, 2401):
                committer.add(_answered(uid, links=0))
                given.append(now())
                await asyncio.sleep(0.05)
            committer.stop()
            await running

    run_in_fake_time(play())
    assert list(book.state.done()) == list(range(1, 2401))
    assert len(waits) == 2400
    assert waits[0] <= committer_module.FIRST_COMMIT_SECONDS + 0.1
    assert 7.9 < max(waits) <= committer_module.COMMIT_SECONDS + 0.1


async def test_much_in_memory_is_committed_without_waiting_for_the_time(
    book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = _answered(*range(1, 100))
    monkeypatch.setattr(committer_module, "PART_BYTES", delivery.rows.nbytes)
    heard: list[events.Event] = []
    with closing(_committer(book, heard)) as committer:
        running = asyncio.create_task(committer.run())
        committer.add(delivery)
        async with asyncio.timeout(committer_module.COMMIT_SECONDS / 2):
            while not heard:
                await asyncio.sleep(0.01)
        committer.stop()
        await running
    assert len(book.state.done()) == 99


async def test_the_committer_waits_after_an_early_commit(
    book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not commit and report without a pause from then on."""
    monkeypatch.setattr(committer_module, "PART_BYTES", 1)
    monkeypatch.setattr(committer_module, "TICK_SECONDS", 60.0)
    reports: list[int] = []

    def progress() -> dict[str, str]:
        reports.append(1)
        return {"progress": "{}"}

    with closing(Committer(book, _ignore_event, progress)) as committer:
        running = asyncio.create_task(committer.run())
        committer.add(_answered(1))
        async with asyncio.timeout(10):
            while not reports:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # a loop that does not wait would report hundreds of times
        assert len(reports) == 1
        committer.stop()
        await running


async def test_pending_bytes_are_those_of_deliveries_until_they_are_committed(
    book: Ledger,
) -> None:
    delivery, other = _answered(*range(1, 100)), _answered(*range(100, 150))
    with closing(_committer(book)) as committer:
        assert committer.pending_bytes == 0
        committer.add(delivery)
        committer.add(other)
        both = delivery.rows.nbytes + other.rows.nbytes
        assert committer.pending_bytes == both
        committing = asyncio.create_task(committer.commit())
        await asyncio.sleep(0)
        assert committer.pending_bytes == both, "they are in memory while they are written"
        await committing
        assert committer.pending_bytes == 0


async def test_others_read_how_far_it_is(book: Ledger) -> None:
    with closing(_committer(book)) as committer:
        await committer.report()
    assert book.state.progress() == json.loads('{"state": "running"}')


async def test_a_disk_that_fails_is_not_swallowed(
    book: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harvester.store.durable.write", full)
    with closing(_committer(book)) as committer:
        committer.add(_answered(1))
        committer.stop()
        with pytest.raises(OSError, match="No space left"):
            await committer.run()
    assert list(book.state.done()) == []


async def test_responses_are_kept_in_their_order(book: Ledger) -> None:
    """Also responses that settle nothing, and those of a pass without other rows."""
    with closing(_committer(book)) as committer:
        committer.add(RawResponse("json", np.array([1, 2]), b"first"))
        committer.add(_answered(1))
        committer.add(RawResponse("xml", np.array([2]), b"second"))
        await committer.commit()
        committer.pass_number = 2
        committer.add(RawResponse("json", np.array([2]), b"third"))
        await committer.commit()
        assert repr(committer) == "Committer(pass 2: 0 deliveries, 0 bytes pending)"
    assert [row for table in book.read_raw() for row in table.to_pylist()] == [
        {"sweep": 1, "retmode": "json", "asked": [1, 2], "body": b"first"},
        {"sweep": 1, "retmode": "xml", "asked": [2], "body": b"second"},
        {"sweep": 2, "retmode": "json", "asked": [2], "body": b"third"},
    ]


async def test_the_links_of_a_commit_are_passed_on(book: Ledger) -> None:
    passed: list[pa.Table] = []
    committer = Committer(book, _ignore_event, lambda: {"progress": "{}"}, passed.append)
    with closing(committer):
        committer.add(_answered(1, 2))
        committer.add(_answered(3, links=0))
        await committer.commit()
        committer.add(_answered(4, links=0))
        await committer.commit()
    assert [row for table in passed for row in table.to_pylist()] == links_of(1, 2)
    assert len(passed) == 1
