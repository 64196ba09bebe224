"""Runs ended by a signal or by NCBI's hours, and the `status` during them."""

from __future__ import annotations

import re
import signal
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from support.clocks import set_clock
from support.harness import (
    Finished,
    Running,
    assert_exact,
    assert_polite,
    expected_links,
    harvester,
    running,
    status,
    status_command,
    wait_until,
    write_uids,
)
from support.machine import Lateness
from support.scenarios import Scenario
from support.timing import COMMIT, DRAIN, FIRST_PROBE, TICK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 401)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}

IN_HAND = 2
"""Requests at most that leave before a signal is handled."""


def command_line(folder: Path, server: Emulator, *options: str) -> list[object]:
    """Return the command line of a harvest of a few seconds into `out`."""
    return [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=40", "--batch-size=5", "-o", folder / "out",
        *options,
    ]  # fmt: skip


def assert_done(folder: Path, server: Emulator) -> None:
    """Assert that the folder equals the truth."""
    truth = expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    assert_exact(folder / "out", "pubmed", UIDS, truth)


def interrupted(command: Running, signum: signal.Signals, seconds: float) -> Finished:
    """Assert that a run ends with the signal's exit code in time and names the next command."""
    ended = command.ended(seconds)
    assert ended.code == CODES[signum], ended.err
    assert_polite(ended.err)
    assert "harvester resume" in ended.err
    return ended


# --- signals ----------------------------------------------------------------------------------


def one_signal(servers: Servers, folder: Path, signum: signal.Signals) -> None:
    """No new request is sent; those in flight are answered and committed."""
    server = servers.start(latency=(0.3, 1.2))
    with running(*command_line(folder, server), err=folder / "err") as command:
        wait_until(lambda: len(server.log) > 30, "many are in flight")
        command.signal(signal.SIGSTOP)  # so that the signal is there before the next request
        command.signal(signum)
        servers.read_all()
        asked = len(server.log)
        command.signal(signal.SIGCONT)
        interrupted(command, signum, 30.0)
    assert len(server.log) <= asked + IN_HAND, "requests were sent after the signal"
    said = status(folder / "out")
    assert said["state"] == "interrupted"
    assert said["uids"]["done"] == sum(entry.ids for entry in server.log)
    resumed = servers.harvester("resume", folder / "out")
    assert resumed.code == 0, resumed.err
    assert sum(entry.ids for entry in server.log) == len(UIDS)
    assert_done(folder, server)


def two_signals(servers: Servers, folder: Path, first: signal.Signals) -> None:
    """The second signal ends the run at once; after the first, requests have two minutes."""
    server = servers.start(latency=(0.1, 120.0))
    patches = {DRAIN: 120.0}
    with running(*command_line(folder, server), err=folder / "err", patches=patches) as command:
        wait_until(lambda: len(server.log) > 20, "many are in flight")
        command.signal(first)
        time.sleep(0.7)
        assert command.alive
        command.signal(signal.SIGINT)
        interrupted(command, first, 40.0)
    assert status(folder / "out")["state"] == "interrupted"
    finish(servers, folder, server)


def nothing_comes_back(servers: Servers, folder: Path) -> None:
    """Requests in flight are abandoned after the drain time, here 1 s instead of 10 s."""
    server = servers.start(latency=(0.05, 60.0))
    patches = {DRAIN: 1.0}
    with running(*command_line(folder, server), err=folder / "err", patches=patches) as command:
        wait_until(lambda: len(server.log) > 20, "many are in flight")
        command.signal(signal.SIGTERM)
        ended = interrupted(command, signal.SIGTERM, 30.0)
    answered = sum(entry.ids for entry in server.log if entry.status == 200)
    assert 0 < status(folder / "out")["uids"]["done"] <= answered, ended.err
    finish(servers, folder, server)


def while_the_server_hangs(servers: Servers, folder: Path) -> None:
    """A signal during an outage, while a probe is in flight."""
    server = servers.start(latency=(0.02,), fault_seconds=120.0)
    patches = {
        DRAIN: 1.0,
        FIRST_PROBE: 0.2,
    }
    with running(*command_line(folder, server), err=folder / "err", patches=patches) as command:
        wait_until(lambda: len(server.log) > 10, "it asks")
        servers.wait(server.fail(503))
        wait_until(lambda: "not answering" in command.stderr(), "it waits")
        servers.wait(server.fail("hang"))
        asked = len(server.log)
        wait_until(lambda: len(server.log) > asked, "a control question is in flight")
        command.signal(signal.SIGINT)
        interrupted(command, signal.SIGINT, 30.0)
    finish(servers, folder, server)


def while_told_to_come_back_later(servers: Servers, folder: Path) -> None:
    """A signal during a Retry-After pause."""
    server = servers.start(rate=5, retry_after=50)
    with running(*command_line(folder, server), err=folder / "err") as command:
        wait_until(lambda: any(entry.status == 429 for entry in server.log), "a 429")
        time.sleep(0.3)
        command.signal(signal.SIGINT)
        interrupted(command, signal.SIGINT, 30.0)
    finish(servers, folder, server)


def at_a_slow_pace(servers: Servers, folder: Path) -> None:
    """A signal between two permits that are far apart."""
    server = servers.start()
    with running(*command_line(folder, server, "--rate=0.02"), err=folder / "err") as command:
        wait_until(lambda: len(server.log) > 0, "it asks")
        time.sleep(0.3)
        command.signal(signal.SIGTERM)
        interrupted(command, signal.SIGTERM, 30.0)
    finish(servers, folder, server)


def finish(servers: Servers, folder: Path, server: Emulator) -> None:
    """Assert that the job completes exactly against a server without faults."""
    servers.stop(server)
    well = servers.start(seed=server.config.seed, port=server.port)
    finished = servers.harvester(*command_line(folder, well, "--rate=200"))
    assert finished.code == 0, finished.err
    assert_done(folder, well)


# --- NCBI's hours -----------------------------------------------------------------------------


def outside_the_hours(servers: Servers, folder: Path) -> None:
    """On Wednesday at noon no request is sent (exit code 75); in the evening the job completes."""
    server = servers.start()
    hours = command_line(folder, server, "--window=off-peak", "--stop-at-window-end")
    noon = servers.harvester(*hours, patches={"clock": "2026-11-18T12:00:00-05:00"})
    assert noon.code == 75, noon.err
    assert "21:00" in noon.err
    assert "--window always" in noon.err
    assert not server.log.entries
    said = status(folder / "out")
    assert said["state"] == "interrupted"
    assert said["uids"] == {
        "total": len(UIDS), "done": 0, "linked": 0, "empty": 0, "missing": 0, "failed": 0,
    }  # fmt: skip
    evening = servers.harvester(
        "resume", folder / "out", patches={"clock": "2026-11-18T21:00:00-05:00"}
    )
    assert evening.code == 0, evening.err
    assert_done(folder, server)


def the_hours_end(servers: Servers, folder: Path) -> None:
    """The run stops at 05:00 and completes the next night."""
    server = servers.start(latency=(0.2,))
    hours = command_line(folder, server, "--window=off-peak", "--stop-at-window-end", "--rate=20")
    night_clock = set_clock(folder, "2026-11-18T04:30:00-05:00")
    with running(*hours, err=folder / "err", patches=night_clock) as command:
        wait_until(lambda: len(server.log) > 10, "it asks")
        set_clock(folder, "2026-11-18T05:00:00-05:00")
        morning = command.ended()
    assert morning.code == 75, morning.err
    assert "harvester resume" in morning.err
    done = status(folder / "out")["uids"]["done"]
    assert 0 < done < len(UIDS)
    assert done == sum(entry.ids for entry in server.log)
    night = servers.harvester(
        "resume", folder / "out", patches={"clock": "2026-11-18T23:00:00-05:00"}
    )
    assert night.code == 0, night.err
    assert sum(entry.ids for entry in server.log) == len(UIDS)
    assert_done(folder, server)


def it_waits_for_the_hours(servers: Servers, folder: Path) -> None:
    """Shortly before 21:00 the run says until when it waits, in Eastern time too, then starts."""
    server = servers.start()
    evening = set_clock(folder, "2026-11-18T20:55:00-05:00")
    hours = command_line(folder, server, "--window=off-peak")
    with running(*hours, err=folder / "err", patches=evening) as command:
        wait_until(lambda: "Waiting" in command.stderr(), "it waits")
        wait_until(lambda: status(folder / "out")["state"] == "waiting", "status says so")
        assert "Eastern" in status(folder / "out")["waiting"]
        assert not server.log.entries
        set_clock(folder, "2026-11-18T20:59:59-05:00")
        ended = command.ended()
    assert ended.code == 0, ended.err
    assert "Wed 21:00 Eastern" in ended.err
    assert_done(folder, server)


def another_server_is_asked_at_once(servers: Servers, folder: Path) -> None:
    """`auto` keeps NCBI's hours for NCBI only, `always` for no server."""
    server = servers.start()
    noon = {"clock": "2026-11-18T12:00:00-05:00"}
    finished = servers.harvester(
        *command_line(folder, server, "--rate=200", "--batch-size=1"), patches=noon
    )
    assert finished.code == 0, finished.err
    assert len(server.log) > 100
    assert_done(folder, server)


# --- status -----------------------------------------------------------------------------------


def assert_well_formed(said: dict[str, Any], out: Path, rate: float) -> None:
    """Assert that all keys of the public interface are there, with their types."""
    assert said["state"] in {
        "running", "waiting", "interrupted", "complete", "complete_with_failures"
    }  # fmt: skip
    assert said["job"]["dbfrom"] == "pubmed"
    assert said["job"]["db"] == ["pmc"]
    uids = said["uids"]
    assert uids.keys() == {"total", "done", "linked", "empty", "missing", "failed"}
    assert uids["total"] == len(UIDS)
    assert uids["done"] == sum(uids[key] for key in ("linked", "empty", "missing", "failed"))
    assert type(said["links"]) is int
    assert all(re.fullmatch(r"(links|uids)/part-\d{5}\.parquet", name) for name in said["parts"])
    assert all((out / name).is_file() for name in said["parts"] if said["state"] != "running")
    assert said["requests"].keys() == {"sent", "ok", "retried", "rate_limited"}
    assert all(type(count) is int for count in said["requests"].values())
    assert said["rate"].keys() == {"limit", "achieved"}
    assert said["rate"]["limit"] == rate
    assert said["eta_seconds"] is None or said["eta_seconds"] >= 0
    for key in ("started_at", "updated_at"):
        assert datetime.fromisoformat(said[key]).tzinfo is not None


def status_all_along(servers: Servers, folder: Path) -> None:
    """Status of a run that is killed, resumed and completed: counts only grow, and are exact."""
    server, out = servers.start(latency=(0.1,)), folder / "out"
    often = {
        COMMIT: 0.4,
        TICK: 0.1,
    }
    slowly = command_line(folder, server, "--rate=40", "--batch-size=1")
    with Lateness() as machine, running(*slowly, err=folder / "err", patches=often) as run:
        wait_until(lambda: len(server.log) > 30, "it asks")
        wait_until(lambda: status(out)["uids"]["done"] > 0, "something is committed")
        said = status(out)
        assert_well_formed(said, out, 40)
        assert said["state"] == "running"
        assert 0 < said["uids"]["done"] < len(UIDS)
        assert 0 < said["requests"]["ok"] <= said["requests"]["sent"]
        assert 0 < said["rate"]["achieved"] <= 44  # the seconds do not begin with a request
        assert said["eta_seconds"] > 0
        if not machine.is_busy:
            assert said["rate"]["achieved"] > 25
            assert said["eta_seconds"] < 30
        assert status_command(out).keys() >= said.keys()
        human = harvester("status", out)
        assert human.code == 0
        assert human.out.startswith("running")
        run.kill()
    killed = status(out)
    assert_well_formed(killed, out, 40)
    assert killed["state"] == "interrupted"
    assert killed["uids"]["done"] >= said["uids"]["done"]
    assert killed["links"] >= said["links"] > 0
    finished = servers.harvester(*command_line(folder, server, "--rate=200"))
    assert finished.code == 0, finished.err
    complete = status(out)
    assert_well_formed(complete, out, 200)
    assert complete["state"] == "complete"
    assert complete["eta_seconds"] == 0.0
    assert complete["uids"]["done"] == len(UIDS)
    assert complete["requests"]["retried"] == complete["requests"]["rate_limited"] == 0
    assert killed["requests"]["sent"] < complete["requests"]["sent"] <= len(server.log)
    truth = expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    assert complete["links"] == truth.num_rows
    assert complete["uids"]["linked"] == len(truth["from_uid"].unique())
    assert_done(folder, server)


def status_of_a_run_that_has_just_begun(servers: Servers, folder: Path) -> None:
    """A complete folder that gets a longer list is `running` from its first request on."""
    server, out = servers.start(latency=(3.0,)), folder / "out"
    base = [
        "run", "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url, "--rate=40", "-o", out,
    ]  # fmt: skip
    assert servers.harvester(*base, "--ids", write_uids(folder / "ids", (1, 2))).code == 0
    asked = len(server.log)
    longer = write_uids(folder / "longer", UIDS)
    with running(*base, "--ids", longer, err=folder / "err") as run:
        wait_until(lambda: len(server.log) > asked, "it asks", pause=0.005)
        said = status(out)
        assert run.alive
    assert said["state"] == "running"


SCENARIOS = [Scenario(case, signum) for case in (one_signal, two_signals) for signum in CODES]
SCENARIOS += [
    Scenario(case)
    for case in (
        while_the_server_hangs, nothing_comes_back, while_told_to_come_back_later, at_a_slow_pace,
        outside_the_hours, the_hours_end, it_waits_for_the_hours, another_server_is_asked_at_once,
        status_all_along, status_of_a_run_that_has_just_begun,
    )
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_harvest_stops_when_asked_and_resumes(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)


@pytest.mark.torture
def test_a_run_with_default_settings_ends_within_12_s(servers: Servers, tmp_path: Path) -> None:
    """With default settings, requests in flight are abandoned and the run ends within 12 s."""
    server = servers.start(latency=(0.05, 60.0))
    with running(*command_line(tmp_path, server), err=tmp_path / "err") as command:
        wait_until(lambda: len(server.log) > 20, "many are in flight")
        command.signal(signal.SIGINT)
        interrupted(command, signal.SIGINT, 12.0)
    finish(servers, tmp_path, server)
