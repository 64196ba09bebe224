"""Full and read-only disks: one error message; with room again, `resume` completes exactly."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.harness import assert_exact, expected_links, running, status, wait_until, write_uids
from support.refusals import UnusedServer
from support.scenarios import Scenario
from support.small_disks import assert_one_sentence, small_disk
from support.timing import OFTEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 1801)


def command_line(folder: Path, server: Emulator | UnusedServer, *options: str) -> list[object]:
    """Return the command line of a harvest of some hundred kilobytes."""
    return [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--batch-size=5", "--rate=60",
        "-o", folder / "disk" / "out", *options,
    ]  # fmt: skip


def assert_done(folder: Path, server: Emulator) -> None:
    """Assert that the folder equals the truth."""
    truth = expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    assert_exact(folder / "disk" / "out", "pubmed", UIDS, truth)


def full_in_the_middle(servers: Servers, folder: Path, form: str, leaving: int) -> None:
    """Committed answers are kept and not requested again."""
    server = servers.start(links_per_uid=40)
    out = folder / "disk" / "out"
    with small_disk(folder / "disk") as disk:
        with running(
            *command_line(folder, server, f"--format={form}"), err=folder / "err", patches=OFTEN
        ) as command:
            wait_until(lambda: _done(out) > 20, "something is committed")
            disk.fill(leaving)
            ended = command.ended(30.0)
        assert_one_sentence(ended, str(out), "make room", "resume")
        done = _done(out)
        assert 20 < done < len(UIDS)
        again = servers.harvester("resume", out)
        assert_one_sentence(again, str(out), "make room")
        disk.clear()
        disk.resize(16384)
        asked = sum(entry.ids for entry in server.log)
        assert _done(out) >= done
        resumed = servers.harvester("resume", out)
        assert resumed.code == 0, resumed.err
        assert sum(entry.ids for entry in server.log) - asked <= len(UIDS) - done
        assert_done(folder, server)


def _done(out: Path) -> int:
    try:
        return int(status(out)["uids"]["done"])
    except Exception:  # noqa: BLE001 - it has only begun
        return 0


def full_at_the_start(servers: Servers, folder: Path, form: str) -> None:
    """With no room or too little, every run ends with the same message."""
    server = servers.start(links_per_uid=40)
    out = folder / "disk" / "out"
    with small_disk(folder / "disk") as disk:
        for leaving in (0, 4, 8, 16, 24, 32, 48, 64, 96):
            disk.fill(leaving)
            refused = servers.harvester(
                *command_line(folder, server, f"--format={form}"), patches=OFTEN
            )
            assert_one_sentence(refused, str(out), "make room")
            disk.clear()
        disk.resize(16384)
        finished = servers.harvester(*command_line(folder, server, f"--format={form}"))
        assert finished.code == 0, finished.err
        assert_done(folder, server)


def read_only(servers: Servers, folder: Path) -> None:
    """A harvest on a read-only disk can be read but not resumed."""
    server = servers.start()
    out = folder / "disk" / "out"
    with small_disk(folder / "disk") as disk:
        with running(*command_line(folder, server), err=folder / "err", patches=OFTEN) as command:
            wait_until(lambda: _done(out) > 20, "something is committed")
            command.kill()
        said = status(out)
        disk.make_read_only()
        servers.stop(server)
        with UnusedServer(server.port) as unused:
            for again in (command_line(folder, server), ["resume", out]):
                refused = servers.harvester(*again)
                assert_one_sentence(refused, str(out), "cannot be written", "Read-only file")
            assert unused.connections() == 0
        server = servers.start(port=server.port)
        looked = servers.harvester("status", out, "--json")
        assert looked.code == 0, looked.err
        assert json.loads(looked.err)["uids"] == said["uids"]
        disk.make_writable()
        resumed = servers.harvester("resume", out)
        assert resumed.code == 0, resumed.err
        assert_done(folder, server)
        disk.make_read_only()
        complete = servers.harvester("status", out, "--json")
        assert complete.code == 0, complete.err
        assert json.loads(complete.err)["state"] == "complete"


def read_only_all_at_once(servers: Servers, folder: Path) -> None:
    """The disk becomes read-only during the run, as a failing disk does."""
    server = servers.start()
    out = folder / "disk" / "out"
    with small_disk(folder / "disk") as disk:
        disk.make_read_only()
        refused = servers.harvester(*command_line(folder, server))
        assert_one_sentence(refused, str(out), "cannot be written", "Read-only file system")
        assert not server.log.entries
        disk.make_writable()
        finished = servers.harvester(*command_line(folder, server))
        assert finished.code == 0, finished.err
        assert_done(folder, server)


FORMS = ("parquet", "jsonl")
SCENARIOS = [Scenario(full_in_the_middle, form, room) for form in FORMS for room in (0, 8, 24)]
SCENARIOS += [Scenario(full_at_the_start, form) for form in FORMS]
SCENARIOS += [Scenario(read_only), Scenario(read_only_all_at_once)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_the_disk(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
