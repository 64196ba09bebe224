"""A harvest's folder that is deleted or moved, in whole or in part."""

from __future__ import annotations

import shutil
import signal
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    assert_exact,
    digests,
    expected_links,
    running,
    status,
    wait_until,
    write_uids,
)
from support.scenarios import Scenario
from support.small_disks import assert_one_sentence
from support.timing import OFTEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 301)


def command_line(folder: Path, server: Emulator) -> list[object]:
    """Return the command line of a harvest of some seconds."""
    return [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--batch-size=5", "--rate=25", "-o", folder / "out",
    ]  # fmt: skip


def assert_done(out: Path, server: Emulator) -> None:
    """Assert that the folder equals the truth."""
    truth = expected_links(server.graph, "pubmed", UIDS, ("pmc",))
    assert_exact(out, "pubmed", UIDS, truth)


def lost_while_it_runs(
    servers: Servers, folder: Path, lose: Callable[[Path], None], *parts: str
) -> Emulator:
    """Run until something is committed, remove something; assert one error message."""
    server, out = servers.start(), folder / "out"
    with running(*command_line(folder, server), err=folder / "err", patches=OFTEN) as command:
        wait_until(lambda: out.is_dir() and any((out / "links").glob("part-*")), "parts are there")
        wait_until(lambda: status(out)["uids"]["done"] > 20, "something is committed")
        lose(out)
        ended = command.ended(30.0)
    assert_one_sentence(ended, str(out), *parts)
    return server


def the_folder_is_deleted(servers: Servers, folder: Path) -> None:
    """The error says so and no new folder is made; another run starts from the beginning."""
    out = folder / "out"
    server = lost_while_it_runs(servers, folder, shutil.rmtree, "removed or moved away")
    assert not out.exists()
    finished = servers.harvester(*command_line(folder, server), "--rate=200")
    assert finished.code == 0, finished.err
    assert_done(out, server)


def the_folder_is_moved(servers: Servers, folder: Path) -> None:
    """The error says so; the moved folder has all commits and can be resumed."""
    new = folder / "elsewhere" / "harvest"
    new.parent.mkdir()

    def move(out: Path) -> None:
        out.rename(new)

    server = lost_while_it_runs(servers, folder, move, "removed or moved away")
    assert not (folder / "out").exists()
    done = status(new)["uids"]["done"]
    assert 20 < done < len(UIDS)
    asked = sum(entry.ids for entry in server.log)
    resumed = servers.harvester("resume", new)
    assert resumed.code == 0, resumed.err
    assert sum(entry.ids for entry in server.log) - asked <= len(UIDS) - done
    assert_done(new, server)
    assert not (folder / "out").exists()


def its_parts_are_deleted(servers: Servers, folder: Path) -> None:
    """Deleted committed links are reported and not harvested again."""
    out, copy = folder / "out", folder / "copy"

    def lose(out: Path) -> None:
        (out / "links").rename(copy)

    lost_while_it_runs(servers, folder, lose, "links")
    kept = status(out)["uids"]["done"]
    refused = servers.harvester("resume", out)
    assert_one_sentence(refused, str(out / "links" / "part-"), "missing", "backup")
    assert status(out)["uids"]["done"] == kept


def its_parts_come_back(servers: Servers, folder: Path) -> None:
    """After the parts are restored from a copy, the harvest completes."""
    server, out = servers.start(), folder / "out"
    with running(*command_line(folder, server), err=folder / "err", patches=OFTEN) as command:
        wait_until(lambda: out.is_dir() and any((out / "links").glob("part-*")), "parts are there")
        command.signal(signal.SIGTERM)
        command.ended(30.0)
    before = digests(out)
    for name in ("links", "uids"):
        (out / name).rename(folder / "aside")
        for again in (["resume", out], command_line(folder, server)):
            refused = servers.harvester(*again)
            assert_one_sentence(refused, str(out / name / "part-"), "missing", "backup")
        shutil.rmtree(out / name, ignore_errors=True)
        (folder / "aside").rename(out / name)
    assert digests(out) == before
    resumed = servers.harvester("resume", out)
    assert resumed.code == 0, resumed.err
    assert_done(out, server)


SCENARIOS = [
    Scenario(the_folder_is_deleted),
    Scenario(the_folder_is_moved),
    Scenario(its_parts_are_deleted),
    Scenario(its_parts_come_back),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_lost_folder_is_reported(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
