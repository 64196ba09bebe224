"""Runs that Python code ends early: by cancellation, an exception, or `break`."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest
from support.harness import assert_exact, expected_links

from harvester import Job, events, harvest, stream
from harvester.api.folder import status

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(5000, 5300)
BATCH = 20


def _job(server: Emulator, out: Path, **more: Any) -> Job:
    return Job.model_validate(
        {
            "link": {"dbfrom": "pubmed", "db": "pmc"},
            "source": {"uids": UIDS},
            "output": {"path": out},
            "limits": {"rate": 200, "batch_size": BATCH, "concurrency": 3},
            "server": {"base_url": server.base_url},
            **more,
        }
    )


async def _cancelled_after(batches: int, job: Job) -> list[events.Event]:
    """Cancel a harvest at its N-th answer; return all events."""
    heard: list[events.Event] = []

    def listen(event: events.Event) -> None:
        heard.append(event)
        if sum(isinstance(one, events.BatchAnswered) for one in heard) == batches:
            task.cancel()

    task = asyncio.ensure_future(harvest(job, listeners=[listen]))
    with pytest.raises(asyncio.CancelledError):
        await task
    return heard


async def test_a_cancelled_harvest_commits_all_answers(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(latency=(0.01,)), tmp_path / "out"
    heard = await _cancelled_after(9, _job(server, out))
    answered = sum(isinstance(one, events.BatchAnswered) for one in heard)
    stand = status(out)
    assert stand["state"] == "interrupted"
    assert stand["uids"]["done"] == answered * BATCH >= 9 * BATCH
    (ended,) = (one for one in heard if isinstance(one, events.RunEnded))
    assert ended == heard[-1]
    assert (ended.state, sum(ended.outcomes.values())) == ("interrupted", answered * BATCH)

    heard.clear()
    await harvest(_job(server, out), listeners=[heard.append])
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))
    sent = sum(isinstance(one, events.RequestSent) for one in heard)
    assert sent == len(UIDS) // BATCH - answered


async def test_a_listener_that_fails_loses_no_answer(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(latency=(0.01,)), tmp_path / "out"
    heard: list[events.Event] = []

    def listen(event: events.Event) -> None:
        heard.append(event)
        if sum(isinstance(one, events.UidsSettled) for one in heard) == 9:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await harvest(_job(server, out), listeners=[listen])
    assert status(out)["uids"]["done"] >= 8 * BATCH
    assert isinstance(heard[-1], events.RunEnded)
    assert heard[-1].state == "interrupted"


async def test_a_cancelled_chain_commits_in_each_hop(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(latency=(0.01,)), tmp_path / "out"
    job = _job(server, out, hop=[{"db": "pubmed"}])
    heard = await _cancelled_after(9, job)
    answered = sum(isinstance(one, events.BatchAnswered) for one in heard)
    assert answered >= 9
    assert status(out / "hop-1")["uids"]["done"] > 0
    assert [one.state for one in heard if isinstance(one, events.RunEnded)] == ["interrupted"]


async def _others() -> set[asyncio.Task[Any]]:
    """Return the tasks other than the test's, after they had a chance to end."""
    gc.collect()
    for _ in range(3000):
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if not others:
            break
        await asyncio.sleep(0.01)
    return {task for task in others if task is not None}


async def test_break_leaves_no_task_behind(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(latency=(0.05,))
    async for table in stream(_job(server, tmp_path / "none")):
        assert table.num_rows
        break
    assert await _others() == set()
    assert len(server.log) < len(UIDS) // BATCH


async def test_a_closed_stream_has_ended_with_its_block(servers: Servers, tmp_path: Path) -> None:
    server = servers.start(latency=(0.05,))
    heard: list[events.Event] = []
    async with aclosing(stream(_job(server, tmp_path / "none"), listeners=[heard.append])) as links:
        async for _ in links:
            break
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert isinstance(heard[-1], events.RunEnded)
    assert heard[-1].state == "interrupted"


async def test_a_stream_reports_its_beginning_and_end(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    heard: list[events.Event] = []
    links = [t async for t in stream(_job(server, tmp_path / "none"), listeners=[heard.append])]
    started, *_, ended = heard
    assert isinstance(started, events.RunStarted)
    assert (started.total, started.done) == (len(UIDS), 0)
    assert isinstance(ended, events.RunEnded)
    assert (ended.state, ended.exit_code) == ("complete", 0)
    assert sum(ended.outcomes.values()) == len(UIDS)
    assert ended.links == sum(table.num_rows for table in links)
