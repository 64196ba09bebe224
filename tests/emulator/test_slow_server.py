"""A slow server over real sockets, by its own log: queue, capacity, lost clients, restarts."""

from __future__ import annotations

import asyncio
import json
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import aiohttp
import pytest
from support.machine import Lateness

from harvester.emulator import Emulator, EmulatorConfig

from .conftest import Client

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harvester.emulator.log import Entry


async def until(condition: Callable[[], object]) -> None:
    """Wait until the server is in a state; fail after 20 s."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


def concurrent(entries: list[Entry]) -> int:
    """Return the most services at one time, computed from the begin and end of each."""
    events = [(entry.began, 1) for entry in entries] + [(entry.ended, -1) for entry in entries]
    most = running = 0
    for _, change in sorted(events):  # at one time, ends come before begins
        running += change
        most = max(most, running)
    return most


async def ask(
    session: aiohttp.ClientSession, server: Emulator, *, uids: int = 1, timeout: float = 20.0
) -> int:
    """Return the status of one request; 0 if the client disconnects or is refused."""
    ids = ",".join(str(uid) for uid in range(1, uids + 1))
    url = f"{server.base_url}elink.fcgi?dbfrom=pubmed&db=pmc&id={ids}"
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=timeout)) as response:
            await response.read()
            return response.status
    except (TimeoutError, aiohttp.ClientError):
        return 0


async def test_workers_serve_so_many_at_a_time_first_in_first_out(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator(EmulatorConfig(rate=None, workers=3, latency=(0.3,))) as server:
        statuses = await asyncio.gather(*(ask(session, server) for _ in range(12)))
        entries = server.log.entries
    assert statuses == [200] * 12
    assert concurrent(entries) == 3
    began = [entry.began or 0.0 for entry in entries]
    assert began == sorted(began)
    # No worker is idle while a request waits.
    assert set(began[3:]) <= {entry.ended for entry in entries}


async def test_service_takes_the_latency_and_that_of_each_uid(
    session: aiohttp.ClientSession,
) -> None:
    config = EmulatorConfig(rate=None, workers=2, latency=(0.05,), latency_per_uid=0.01)
    async with Emulator(config) as server:
        assert await ask(session, server, uids=7) == 200
        (entry,) = server.log.entries
    assert entry.service == pytest.approx(0.12)
    assert entry.ended is not None
    assert entry.began is not None
    assert entry.ended - entry.began == pytest.approx(0.12)


@pytest.mark.parametrize("status", [503, 429])
async def test_beyond_the_queue_requests_are_rejected_at_once(
    session: aiohttp.ClientSession, status: int
) -> None:
    config = EmulatorConfig(
        rate=None, workers=1, queue=2, queue_status=status, latency=(0.3,), retry_after=7
    )
    async with Emulator(config) as server:
        first = [asyncio.create_task(ask(session, server)) for _ in range(3)]
        await until(lambda: sum(entry.service is not None for entry in server.log) == 3)
        async with session.get(f"{server.base_url}elink.fcgi?id=1") as response:
            assert response.status == status
            assert response.headers.get("Retry-After") == ("7" if status == 429 else None)
        assert await asyncio.gather(*first) == [200] * 3
        rejected = server.log.entries[3]
    assert (rejected.fault, rejected.service, rejected.began) == ("queue-full", None, None)


async def test_work_continues_after_the_client_disconnected(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    """One worker, three clients that disconnect: the fourth waits for the work of all three."""
    log = tmp_path / "log.jsonl"
    config = EmulatorConfig(rate=None, workers=1, latency=(0.8,), log=log)
    async with Emulator(config) as server:
        left = [await ask(session, server, uids=5, timeout=0.4) for _ in range(3)]
        await until(lambda: sum(entry.gone for entry in server.log) == 3)
        assert await ask(session, server, uids=2) == 200
        entries = server.log.entries
        assert [entry.gone for entry in entries] == [True, True, True, False]
        for earlier, later in pairwise(entries):
            assert later.began == earlier.ended
        assert [entry.service for entry in entries] == [0.8] * 4
        assert server.log.wasted_share() == pytest.approx(0.75)
        whole = (entries[0].arrived, time.monotonic())
        assert server.log.uids_per_second(*whole) == pytest.approx(2 / (whole[1] - whole[0]))
    assert left == [0, 0, 0]
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(line["gone"], line["ids"], line["status"]) for line in lines] == [
        *[(True, 5, 0)] * 3,
        (False, 2, 200),
    ]
    assert all(line["ended"] - line["began"] == pytest.approx(0.8) for line in lines)


async def test_requests_in_service_at_the_end_are_logged(
    session: aiohttp.ClientSession, tmp_path: Path
) -> None:
    log = tmp_path / "log.jsonl"
    config = EmulatorConfig(rate=None, workers=1, latency=(60.0,), log=log)
    async with Emulator(config) as server:
        assert await ask(session, server, timeout=0.4) == 0
        await until(lambda: server.log.entries[0].gone)
        waiting = asyncio.create_task(ask(session, server))
        await until(lambda: len(server.log) == 2 and server.log.entries[1].service)
    assert await waiting == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert sorted((line["gone"], line["ended"]) for line in lines) == [(False, None), (True, None)]


@pytest.mark.alone
async def test_capacity_is_lost_and_comes_back(session: aiohttp.ClientSession) -> None:
    config = EmulatorConfig(rate=None, workers="4,1@0.5-2", latency=(0.05,))
    async with Emulator(config) as server:
        started = time.monotonic()
        with Lateness() as machine:
            assert set(await asyncio.gather(*(ask(session, server) for _ in range(100)))) == {200}
        entries = server.log.entries
    if machine.is_busy:
        pytest.skip(f"busy machine: timers were up to {machine.longest:.2f} s late")
    # The periods count from the start of the server, a little before `started`.
    spans = [(e.began - started, e.ended - started) for e in entries if e.began and e.ended]
    few = [
        entry
        for entry, (began, ended) in zip(entries, spans, strict=True)
        if began > 0.7 and ended < 1.8
    ]
    many = [entry for entry, (began, _) in zip(entries, spans, strict=True) if began < 0.3]
    assert len(few) == pytest.approx(20, abs=3)
    assert concurrent(few) == 1
    assert concurrent(many) == 4
    assert concurrent(entries) == 4


async def test_too_many_uids_cost_their_service_and_fail(session: aiohttp.ClientSession) -> None:
    config = EmulatorConfig(rate=None, max_uids=10, latency_per_uid=0.001)
    async with Emulator(config) as server:
        assert await ask(session, server, uids=10) == 200
        assert await ask(session, server, uids=11) == 500
        failed = server.log.entries[1]
        assert (failed.fault, failed.useful) == ("max-uids", False)
        assert failed.service == pytest.approx(0.011)
        assert server.log.wasted_share() == pytest.approx(11 / 21)


async def test_a_restart_drops_requests_and_refuses_connections() -> None:
    config = EmulatorConfig(rate=None, restart=(1.5, 1.0), latency=(30.0,))
    async with Emulator(config) as server, aiohttp.ClientSession() as session:
        assert await ask(session, server) == 0
        (lost,) = server.log.entries
        assert (lost.fault, lost.gone, lost.status) == ("restart", False, 0)
        assert lost.ended is not None
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)
        async with asyncio.timeout(20):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
                except ConnectionRefusedError:
                    await asyncio.sleep(0.02)
                else:
                    break
        writer.close()


async def test_without_workers_requests_do_not_wait_for_each_other(
    session: aiohttp.ClientSession,
) -> None:
    async with Emulator(EmulatorConfig(rate=None, latency=(0.2,))) as server:
        assert await asyncio.gather(*(ask(session, server) for _ in range(20))) == [200] * 20
        assert concurrent(server.log.entries) > 10
        assert server.log.wasted_share() == 0.0
        status, _ = await Client(session, server).raw("nothing", "")
        assert (status, server.log.entries[-1].service) == (404, None)
