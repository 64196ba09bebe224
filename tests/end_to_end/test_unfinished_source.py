"""Sources that are unfinished harvests: refused, or accepted with `--partial` and noted."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    assert_exact,
    expected_links,
    rows,
    running,
    status,
    wait_until,
    write_uids,
)
from support.scenarios import Scenario
from support.small_disks import assert_one_sentence
from support.tables import NAME, TEXT, UID, table
from support.timing import IMPATIENT, OFTEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 201)
SUMMARIES = [("db", NAME), ("uid", UID), ("record", TEXT)]


def stopped(folder: Path, server: Emulator) -> Path:
    """Harvest links to PMC, ended by a signal when some UIDs are done."""
    out = folder / "one"
    words = [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--batch-size=5", "--rate=20", "--base-url", server.base_url, "-o", out,
    ]  # fmt: skip
    with running(*words, err=folder / "err", patches=OFTEN) as command:
        wait_until(lambda: len(server.log) > 10, "it asks")
        command.signal(signal.SIGTERM)
        assert command.ended().code == 143
    assert 0 < status(out)["uids"]["done"] < len(UIDS)
    return out


def targets(out: Path) -> list[int]:
    """Return the records that the links lead to."""
    return sorted(set(rows(out, "links")["to_uid"].to_pylist()))


def the_next_hop(servers: Servers, folder: Path) -> None:
    """Refused; with `--partial` it is noted, and `resume` adds the rest later."""
    server = servers.start(latency=(0.05,))
    one, two, three = stopped(folder, server), folder / "two", folder / "three"
    asked = len(server.log)

    def following(run: Path, out: Path, db: str, *options: object) -> list[object]:
        return ["run", "--from-run", run, f"--dbfrom={db}", "--db=pubmed", "--rate=300",
                "--base-url", server.base_url, "-o", out, *options]  # fmt: skip

    refused = servers.harvester(*following(one, two, "pmc"))
    done = status(one)["uids"]["done"]
    said = f"{done} UIDs of {len(UIDS)}"
    assert_one_sentence(refused, said, f"harvester resume {one}", "--partial", code=2)
    assert not two.exists()
    piped = servers.harvester(*following(one, folder / "-", "pmc")[:-1], "-")
    assert_one_sentence(piped, said, "--partial", code=2)
    assert len(server.log) == asked

    before = targets(one)
    taken = servers.harvester(*following(one, two, "pmc", "--partial"))
    assert taken.code == 0, taken.output
    assert said in taken.output
    assert status(two)["partial_source"]
    assert "unfinished" in servers.harvester("status", two).output
    assert sorted(rows(two, "uids")["from_uid"].to_pylist()) == before
    again = servers.harvester(*following(two, three, "pubmed"))
    assert_one_sentence(again, str(two), "made from an unfinished one", "--partial", code=2)

    assert servers.harvester("resume", one).code == 0
    resumed = servers.harvester("resume", two)
    assert resumed.code == 0, resumed.output
    assert not status(two)["partial_source"]
    whole = targets(one)
    assert len(whole) > len(before)
    assert_exact(two, "pmc", whole, expected_links(server.graph, "pmc", whole, ("pubmed",)))
    assert servers.harvester(*following(two, three, "pubmed")).code == 0


def its_records(servers: Servers, folder: Path) -> None:
    server = servers.start(latency=(0.05,))
    one, asked = stopped(folder, server), len(server.log)
    refused = servers.harvester("records", one)
    assert_one_sentence(refused, f"harvester resume {one}", "--partial", code=2)
    assert len(server.log) == asked
    assert not (one / "records").exists()
    inner = one / "records" / "pmc-summary"
    for options, finish in ((["--partial"], False), ([], True)):
        if finish:
            assert servers.harvester("resume", one).code == 0
        got = servers.harvester("records", one, *options)
        assert got.code == 0, got.output
        found = [row["uid"] for row in table(inner / "records", SUMMARIES)]
        assert sorted(found) == targets(one)
        assert status(inner)["partial_source"] != finish


def a_later_hop(servers: Servers, folder: Path) -> None:
    """The second hop of a chain that was stopped; the remedy names the chain."""
    server, out = servers.start(latency=(0.1,)), folder / "out"
    job = folder / "chain.toml"
    write_uids(folder / "ids", UIDS)
    job.write_text(
        f'[source]\nids = ["{folder / "ids"}"]\n[[hop]]\ndbfrom = "pubmed"\ndb = "pmc"\n'
        f'[[hop]]\ndb = "pubmed"\n[output]\npath = "{out}"\n[limits]\nrate = 20\nbatch_size = 5\n'
        f'[server]\nbase_url = "{server.base_url}"\n'
    )
    with running("run", job, err=folder / "err", patches=OFTEN) as command:
        wait_until(lambda: (out / "hop-2" / "uids").is_dir() and len(server.log) > 10, "it asks")
        command.signal(signal.SIGTERM)
        assert command.ended().code == 143
    refused = servers.harvester("resume", out / "hop-2")
    assert_one_sentence(refused, str(out / "hop-1"), f"harvester resume {out})", code=2)
    finished = servers.harvester("resume", out)
    assert finished.code == 0, finished.output
    whole = targets(out / "hop-1")
    truth = expected_links(server.graph, "pmc", whole, ("pubmed",))
    assert_exact(out / "hop-2", "pmc", whole, truth)
    assert servers.harvester("resume", out / "hop-2").code == 0


def failures_are_a_warning(servers: Servers, folder: Path) -> None:
    """A harvest with failed UIDs is a source, with a warning of how many."""
    server, one = servers.start(faults=("poison@7,8",)), folder / "one"
    ended = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--max-attempts=2", "--rate=300", "--base-url", server.base_url, "-o", one,
        patches=IMPATIENT,
    )  # fmt: skip
    assert ended.code == 3, ended.output
    servers.stop(server)
    servers.start(port=server.port)
    for words in (
        ["records", one],
        ["run", "--from-run", one, "--dbfrom=pmc", "--db=pubmed", "-o", folder / "two",
         "--base-url", server.base_url],
    ):  # fmt: skip
        done = servers.harvester(*words)
        assert done.code == 0, done.output
        assert f"2 UIDs of the harvest in {one} failed or are missing" in done.output


def failed_records_are_got_again(servers: Servers, folder: Path) -> None:
    """`--retry-failed` requests only failed records; without it no request is sent."""
    server, one = servers.start(), folder / "one"
    assert servers.harvester(
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--max-attempts=2", "--rate=300", "--base-url", server.base_url, "-o", one,
    ).code == 0  # fmt: skip
    servers.stop(server)
    sick = servers.start(port=server.port, faults=("poison@7,9",))
    got = servers.harvester("records", one, "--side=from", patches=IMPATIENT)
    assert got.code == 3, got.output
    assert f"harvester records {one} --side from --retry-failed" in got.output
    servers.stop(sick)
    well = servers.start(port=server.port)
    assert servers.harvester("records", one, "--side=from").code == 3
    assert len(well.log) == 0
    healed = servers.harvester("records", one, "--side=from", "--retry-failed")
    assert healed.code == 0, healed.output
    assert [entry.ids for entry in well.log] == [2]
    inner = one / "records" / "pubmed-summary"
    assert sorted(row["uid"] for row in table(inner / "records", SUMMARIES)) == list(UIDS)
    assert not (inner / "unanswered.txt").exists()


SCENARIOS = [
    Scenario(case)
    for case in (
        the_next_hop, its_records, a_later_hop, failures_are_a_warning,
        failed_records_are_got_again,
    )
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_an_unfinished_harvest_is_not_taken_for_a_whole_one(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
