"""Outages of the server delay a harvest and change nothing else."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    Running,
    assert_exact,
    assert_polite,
    expected_links,
    running,
    status,
    wait_until,
    write_uids,
)
from support.scenarios import Scenario
from support.timing import FIRST_PROBE, IMPATIENT, SOON

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

UIDS = range(1, 361)

KINDS = (503, "reset", "hang", "refused")


def options(ids: Path, out: Path, base_url: str) -> list[object]:
    """Return options with one attempt: an outage charged to a UID would make it fail."""
    return [
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", base_url, "--rate=60",
        "--batch-size=2", "--max-attempts=1", "--timeout=6", "-o", out,
    ]  # fmt: skip


def wait_for_waiting(command: Running, out: Path) -> str:
    """Wait until `status` says that the harvest waits, and for what."""

    def waits() -> bool:
        assert command.alive, command.stderr()
        return (out / "job.toml").exists() and status(out)["state"] == "waiting"

    wait_until(waits, "status says waiting", pause=0.1)
    return str(status(out)["waiting"])


def finish(command: Running, out: Path) -> None:
    """Assert that the harvest ends as without the outage."""
    ended = command.ended()
    assert ended.code == 0, ended.err
    assert_polite(ended.err)
    said = status(out)
    assert said["state"] == "complete"
    assert said["uids"]["failed"] == 0


def in_the_middle(servers: Servers, folder: Path, kind: int | str) -> None:
    """Only probes are sent, status says `waiting`, and no UID is charged."""
    server = servers.start(latency=(0.02,), fault_seconds=30.0)
    ids, out = write_uids(folder / "ids", UIDS), folder / "out"
    with running(*options(ids, out, server.base_url), err=folder / "err", patches=SOON) as command:
        wait_until(lambda: len(server.log) > 60, "some answers")
        servers.wait(server.fail(kind))
        why = wait_for_waiting(command, out)
        assert "not answering" in why
        asked, begun = len(server.log), time.monotonic()
        time.sleep(1.0)  # while it waits, only probes are sent
        probes = (time.monotonic() - begun) / SOON[FIRST_PROBE]
        assert len(server.log) - asked <= probes + 1
        servers.wait(server.recover())
        finish(command, out)
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))
    assert "not answering" in (folder / "err").read_text()


def at_the_start(servers: Servers, folder: Path, kind: int | str) -> None:
    """A job that starts during an outage waits for its end."""
    server = servers.start(fault_seconds=30.0)
    servers.wait(server.fail(kind))
    ids, out = write_uids(folder / "ids", UIDS), folder / "out"
    with running(*options(ids, out, server.base_url), err=folder / "err", patches=SOON) as command:
        wait_for_waiting(command, out)
        servers.wait(server.recover())
        finish(command, out)
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))


def slow_answers_from_before(servers: Servers, folder: Path) -> None:
    """Answers to requests sent before the outage arrive during it and prove nothing."""
    server = servers.start(latency=(0.02, 0.9, 1.9))
    ids, out = write_uids(folder / "ids", UIDS), folder / "out"
    with running(
        *options(ids, out, server.base_url), "--timeout=30", err=folder / "err", patches=SOON
    ) as command:
        wait_until(lambda: len(server.log) > 150, "answers are in flight")
        servers.wait(server.fail(503))
        wait_for_waiting(command, out)
        servers.wait(server.recover())
        ended = command.ended()
    assert ended.code == 0, status(out)["uids"]
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))


def several_in_a_row(servers: Servers, folder: Path) -> None:
    """Several outages, with some answers between them."""
    server = servers.start(latency=(0.02,))
    ids, out = write_uids(folder / "ids", UIDS), folder / "out"
    with running(*options(ids, out, server.base_url), err=folder / "err", patches=SOON) as command:
        for seconds in (2.0, 2.5, 2.0):
            answered = sum(entry.status == 200 for entry in server.log)
            wait_until(
                lambda answered=answered: (  # type: ignore[misc]
                    sum(entry.status == 200 for entry in server.log) > answered + 30
                ),
                "answers again",
            )
            servers.wait(server.fail(503))
            time.sleep(seconds)
            servers.wait(server.recover())
        ended = command.ended()
    assert ended.code == 0, status(out)["uids"]
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))


def of_elink_alone(servers: Servers, folder: Path) -> None:
    """EInfo works and one request has all UIDs; single UIDs that fail show the outage."""
    server = servers.start(faults=("error-address*7",))
    ids, out = write_uids(folder / "ids", UIDS[:40]), folder / "out"
    words = [*options(ids, out, server.base_url), "--batch-size=40"]
    finished = servers.harvester(*words, patches=SOON)
    assert finished.code == 0, finished.err
    assert "The server is not answering" in finished.err
    asked = {entry.ids for entry in server.log if entry.utility == "elink"}
    assert asked == {1, 40}
    truth = expected_links(server.graph, "pubmed", UIDS[:40], ("pmc",))
    assert_exact(out, "pubmed", UIDS[:40], truth)


def while_this_process_is_stopped(servers: Servers, folder: Path) -> None:
    """An outage begins and ends while the process is stopped for longer than its timeout."""
    server = servers.start(latency=(0.02, 0.4), fault_seconds=1.0)
    ids, out = write_uids(folder / "ids", UIDS), folder / "out"
    with running(*options(ids, out, server.base_url), err=folder / "err", patches=SOON) as command:
        for kind in (503, "hang"):
            answered = sum(entry.status == 200 for entry in server.log)
            wait_until(
                lambda answered=answered: (  # type: ignore[misc]
                    sum(entry.status == 200 for entry in server.log) > answered + 20
                ),
                "answers",
            )
            command.signal(signal.SIGSTOP)
            servers.wait(server.fail(kind))
            time.sleep(8.0)  # the timeout is 6 s
            servers.wait(server.recover())
            command.signal(signal.SIGCONT)
        finish(command, out)
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))


def all_uids_are_bad(servers: Servers, folder: Path) -> None:
    """All UIDs of a job are bad on a server that works: the run ends and says so."""
    server = servers.start(faults=("poison@34248085", "short@13740599"))
    ids, out = write_uids(folder / "ids", (34248085, 13740599)), folder / "out"
    finished = servers.harvester(
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
        "--rate=60", "-o", out, patches=IMPATIENT | SOON,
    )  # fmt: skip
    assert finished.code == 3, finished.err
    assert status(out)["uids"] == {
        "total": 2, "done": 2, "linked": 0, "empty": 0, "missing": 1, "failed": 1,
    }  # fmt: skip


def answered_uids_that_fail_later(servers: Servers, folder: Path) -> None:
    """The only answered UID begins to fail; a run with `--retry-failed` still ends."""
    good, bad = 13740599, 34248085
    server = servers.start(faults=(f"poison@{bad}",))
    ids, out = write_uids(folder / "ids", (good, bad)), folder / "out"
    words = [
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
        "--rate=60", "--max-attempts=2", "-o", out,
    ]  # fmt: skip
    assert servers.harvester(*words, patches=IMPATIENT | SOON).code == 3
    assert status(out)["uids"]["linked"] + status(out)["uids"]["empty"] == 1
    servers.stop(server)
    worse = servers.start(faults=(f"poison@{bad}", f"500@{good}"), port=server.port)
    again = servers.harvester(*words, "--retry-failed", patches=IMPATIENT | SOON)
    assert again.code == 3, again.err
    assert status(out)["uids"]["failed"] == 1
    assert len(worse.log) > 0


def given_up(servers: Servers, folder: Path, kind: int | str) -> None:
    """Without an answer for `--give-up-after`, the run exits with 69 and keeps all commits."""
    server = servers.start(latency=(0.02,), fault_seconds=30.0)
    ids, out = write_uids(folder / "ids", UIDS), folder / "out"
    words = [*options(ids, out, server.base_url), "--give-up-after=2s"]
    with running(*words, err=folder / "err", patches=SOON) as command:
        wait_until(lambda: len(server.log) > 60, "some answers")
        servers.wait(server.fail(kind))
        ended = command.ended()
    assert ended.code == 69, ended.err
    assert "is not answering" in ended.err
    assert "harvester resume" in ended.err
    said = status(out)
    assert said["state"] == "interrupted"
    assert said["uids"]["failed"] == 0
    assert said["uids"]["done"] > 0
    servers.wait(server.recover())
    resumed = servers.harvester("resume", out, patches=SOON)
    assert resumed.code == 0, resumed.err
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))


SCENARIOS = [Scenario(case, kind) for case in (in_the_middle, at_the_start) for kind in KINDS]
SCENARIOS += [Scenario(given_up, kind) for kind in (503, "hang")]
SCENARIOS += [Scenario(while_this_process_is_stopped), Scenario(all_uids_are_bad)]
SCENARIOS += [Scenario(answered_uids_that_fail_later)]
SCENARIOS += [
    Scenario(slow_answers_from_before),
    Scenario(several_in_a_row),
    Scenario(of_elink_alone),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_an_outage_costs_only_time(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)


@pytest.mark.torture
def test_default_delays_at_an_outage(servers: Servers, tmp_path: Path) -> None:
    """After an outage of 20 s at the start, requests resume soon after its end."""
    server = servers.start(outage=(0.0, 20.0))
    ids, out = write_uids(tmp_path / "ids", UIDS), tmp_path / "out"
    with running(*options(ids, out, server.base_url), err=tmp_path / "err") as command:
        wait_for_waiting(command, out)
        finish(command, out)
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))
