"""Machines that sleep: clocks go on or stop, and connections are lost unnoticed."""

from __future__ import annotations

import asyncio
import signal
import time
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.clocks import set_clock
from support.harness import (
    assert_exact,
    assert_polite,
    expected_links,
    running,
    status,
    wait_until,
    write_uids,
)
from support.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 601)
RATE = 20


def command_line(folder: Path, server: Emulator, *options: str) -> list[object]:
    """Return the command line of a harvest of some seconds into `out`."""
    return [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, f"--rate={RATE}", "--batch-size=6", "-o", folder / "out",
        *options,
    ]  # fmt: skip


def assert_done(folder: Path, server: Emulator) -> None:
    """Assert that the folder equals the truth."""
    assert_exact(
        folder / "out", "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    )


@contextmanager
def lateness(servers: Servers) -> Iterator[list[float]]:
    """Measure by how many seconds the servers' thread was late.

    A late server processes at once what arrived over a while.
    """
    late = [0.0]

    async def listen() -> None:
        while True:
            due = time.monotonic() + 0.02
            await asyncio.sleep(0.02)
            late.append(time.monotonic() - due)

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(listen())

    listening = servers.wait(begin())
    try:
        yield late
    finally:
        listening.get_loop().call_soon_threadsafe(listening.cancel)


# --- stopped and continued --------------------------------------------------------------------


def stopped_and_continued(servers: Servers, folder: Path) -> None:
    """The process is stopped while answers arrive and connections are closed.

    Missed requests are not made up for: that would be 80 requests in one second.
    """
    server = servers.start(latency=(0.2, 0.5), keepalive_timeout=1.0)
    with (
        lateness(servers) as late,
        running(
            *command_line(folder, server, "--timeout=3", "--max-attempts=20"), err=folder / "err"
        ) as run,
    ):
        for seconds in (4.0, 1.0):
            asked = len(server.log)
            wait_until(lambda asked=asked: len(server.log) > asked + 15, "it asks")  # type: ignore[misc]
            run.signal(signal.SIGSTOP)
            time.sleep(seconds)
            run.signal(signal.SIGCONT)
        ended = run.ended()
    assert ended.code == 0, ended.err
    assert_polite(ended.err)
    assert server.log.busiest_second() <= RATE * (1 + 2 * max(late)) + 2
    assert_done(folder, server)


def stopped_while_asked_to_stop(servers: Servers, folder: Path) -> None:
    """A signal that arrives while the process is stopped is handled once it continues."""
    server = servers.start(latency=(0.2, 0.5))
    with running(*command_line(folder, server), err=folder / "err") as run:
        wait_until(lambda: len(server.log) > 15, "it asks")
        run.signal(signal.SIGSTOP)
        run.signal(signal.SIGTERM)
        time.sleep(0.5)
        asked = len(server.log)
        run.signal(signal.SIGCONT)
        ended = run.ended()
    assert ended.code == 143, ended.err
    assert_polite(ended.err)
    assert len(server.log) < asked + RATE / 2, "asking did not stop"
    finished = servers.harvester(*command_line(folder, server, "--rate=200"))
    assert finished.code == 0, finished.err
    assert sum(entry.ids for entry in server.log) == len(UIDS)
    assert_done(folder, server)


# --- the wall clock jumps, the other clock does not -------------------------------------------


def asleep_until_the_hours_begin(servers: Servers, folder: Path) -> None:
    """The machine sleeps past 21:00 while the run waits; the run then starts at once."""
    server = servers.start()
    noon = set_clock(folder, "2026-11-18T12:00:00-05:00")
    waits = command_line(folder, server, "--window=off-peak", "--rate=200")
    with running(*waits, err=folder / "err", patches=noon) as run:
        wait_until(lambda: "Waiting" in run.stderr(), "it waits")
        assert not server.log.entries
        set_clock(folder, "2026-11-18T23:10:00-05:00")
        ended = run.ended()
    assert ended.code == 0, ended.err
    assert_polite(ended.err)
    assert_done(folder, server)


def asleep_until_the_hours_are_over(servers: Servers, folder: Path) -> None:
    """The machine sleeps from the night to the morning; the run waits for the evening."""
    server = servers.start(latency=(0.1,))
    night = set_clock(folder, "2026-11-18T23:00:00-05:00")
    hours = command_line(folder, server, "--window=off-peak", "--stop-at-window-end")
    with running(*hours, err=folder / "err", patches=night) as run:
        wait_until(lambda: len(server.log) > 15, "it asks")
        set_clock(folder, "2026-11-19T09:00:00-05:00")
        asked = len(server.log)
        ended = run.ended()
    assert ended.code == 75, ended.err
    assert len(server.log) < asked + RATE, "asking did not stop"
    assert status(folder / "out")["uids"]["done"] == sum(entry.ids for entry in server.log)
    evening = servers.harvester(
        "resume", folder / "out", patches={"clock": "2026-11-19T21:00:00-05:00"}
    )
    assert evening.code == 0, evening.err
    assert sum(entry.ids for entry in server.log) == len(UIDS)
    assert_done(folder, server)


def set_back_and_forth(servers: Servers, folder: Path) -> None:
    """Changes of the wall clock by a day or by years during a run have no effect."""
    server = servers.start(latency=(0.05,))
    now = datetime.fromisoformat("2026-11-21T12:00:00-05:00")
    clock = set_clock(folder, now.isoformat())
    hours = command_line(folder, server, "--window=off-peak", "--batch-size=3")
    with running(*hours, err=folder / "err", patches=clock) as run:
        for days in (-1 / 24, 700, -7 * 300, 7 * 300):
            asked = len(server.log)
            wait_until(lambda asked=asked: len(server.log) > asked + 10, "it asks")  # type: ignore[misc]
            set_clock(folder, (now + timedelta(days)).isoformat())
        ended = run.ended()
    assert ended.code == 0, ended.err
    assert_polite(ended.err)
    assert sum(entry.ids for entry in server.log) == len(UIDS)
    assert_done(folder, server)


SCENARIOS = [
    Scenario(stopped_and_continued),
    Scenario(stopped_while_asked_to_stop),
    Scenario(asleep_until_the_hours_begin),
    Scenario(asleep_until_the_hours_are_over),
    Scenario(set_back_and_forth),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_harvest_survives_sleep_and_clock_changes(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
