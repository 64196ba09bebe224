"""A second run on the same folder requests nothing twice and accepts no other job."""

from __future__ import annotations

import signal
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    assert_exact,
    digests,
    expected_links,
    harvester,
    running,
    status,
    wait_until,
    write_uids,
)
from support.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.servers import Servers

UIDS = range(1, 301)


def complete(servers: Servers, folder: Path) -> None:
    """A run on a complete folder sends no request, exits with 0 and changes no byte."""
    server, out = servers.start(), folder / "out"
    words = [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=100", "-o", out,
    ]  # fmt: skip
    assert servers.harvester(*words).code == 0
    asked, before, said = len(server.log), digests(out), status(out)
    assert asked == 2 + 2, "EInfo is asked about both databases"
    for again in (words, ["resume", out], [*words, "--retry-failed"], ["run", out / "job.toml"]):
        finished = servers.harvester(*again)
        assert finished.code == 0, finished.err
        assert "nothing is left to request" in finished.err
        assert digests(out) == before
    assert len(server.log) == asked
    for key in ("state", "uids", "links", "parts", "requests", "job"):
        assert status(out)[key] == said[key], key
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))


def a_longer_list(servers: Servers, folder: Path, form: str) -> None:
    """Only the new UIDs are requested; a shorter list changes nothing and is reported."""
    server, out = servers.start(), folder / "out"
    told = ""

    def run(*uids: int) -> int:
        nonlocal told
        finished = servers.harvester(
            "run", "--ids", write_uids(folder / "ids", uids), "--dbfrom=pubmed", "--db=pmc",
            "--base-url", server.base_url, "--rate=100", f"--format={form}", "-o", out,
        )  # fmt: skip
        assert finished.code == 0, finished.err
        asked, told = sum(entry.ids for entry in server.log), finished.err
        assert_exact(
            out, "pubmed", wanted, expected_links(server.graph, "pubmed", wanted, ("pmc",))
        )
        return asked

    wanted = {*UIDS}
    assert run(*UIDS) == 300
    wanted = {*UIDS, 5_000, 40_000_000}
    assert run(*UIDS, 5_000, 40_000_000) == 302
    assert "no longer" not in told
    assert run(*UIDS, 5_000) == 302
    assert f"1 UID of {out} is no longer in the input; its links" in told
    assert run(1, 2, 3) == 302
    assert f"299 UIDs of {out} are no longer in the input; their links and outcomes stay" in told
    assert status(out)["uids"]["total"] == 302
    wanted = {*wanted, 9}
    assert run(9, 5_000) == 302
    wanted = {*wanted, 777}
    assert run(777) == 303


def another_job(servers: Servers, folder: Path) -> None:
    """Another job is refused with exit code 2 and the name of the difference; no file changes."""
    server, out = servers.start(), folder / "out"
    words = [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=100", "-o", out,
    ]  # fmt: skip
    assert servers.harvester(*words).code == 0
    before, asked = digests(out), len(server.log)
    job = (out / "job.toml").read_text()
    for option, name in (
        ("--db=gene", "link.db"),
        ("--dbfrom=gene", "link.dbfrom"),
        ("--cmd=neighbor_score", "link.cmd"),
        ("--linkname=pubmed_pmc", "link.linkname"),
        ("--term=cancer", "link.term"),
        ("--format=jsonl", "output.format"),
        ("--compression=gzip", "output.compression"),
    ):
        refused = servers.harvester(*words, option)
        assert refused.code == 2, (option, refused.err)
        assert name in refused.err, (option, refused.err)
        assert option.partition("=")[2] in refused.err
    assert digests(out) == before
    assert (out / "job.toml").read_text() == job
    assert len(server.log) == asked
    # What the rows do not depend on may differ.
    assert servers.harvester(*words, "--rate=50", "--retmode=xml", "--batch-size=10").code == 0


def a_second_process(servers: Servers, folder: Path) -> None:
    """A second process is refused with the pid of the first, which continues."""
    server, out = servers.start(), folder / "out"
    words = [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--batch-size=1", "-o", out,
    ]  # fmt: skip
    with running(*words, "--rate=8", err=folder / "err") as first:
        wait_until(lambda: len(server.log) > 0, "the first asks")
        for second in (words, ["resume", out]):
            refused = servers.harvester(*second)
            assert refused.code == 5, refused.err
            assert str(first.pid) in refused.err
        assert first.alive, "the first ended too soon to prove anything"
        asked = len(server.log)
        wait_until(lambda: len(server.log) > asked, "the first asks on")
        first.signal(signal.SIGTERM)
        assert first.ended().code == 143
    finished = servers.harvester(*words, "--rate=300")
    assert finished.code == 0, finished.err
    assert sum(entry.ids for entry in server.log) == len(UIDS)
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))


def resume_needs_nothing_else(servers: Servers, folder: Path) -> None:
    """`resume` needs neither the list nor the job file, and works from any folder."""
    server, out = servers.start(latency=(0.05,)), folder / "out"
    ids = write_uids(folder / "ids", UIDS)
    (folder / "job.toml").write_text(
        '[link]\ndbfrom = "pubmed"\ndb = "pmc"\n[source]\nids = ["ids"]\n'
        f'[output]\npath = "out"\n[server]\nbase_url = "{server.base_url}"\n'
        "[limits]\nrate = 30\nbatch_size = 3\n"
    )
    with running("run", "job.toml", err=folder / "err", cwd=folder) as command:
        wait_until(lambda: len(server.log) > 20, "it asks")
        command.kill()
    ids.unlink()
    (folder / "job.toml").unlink()
    (folder / "elsewhere").mkdir()
    finished = harvester("resume", "../out", cwd=folder / "elsewhere")
    assert finished.code == 0, finished.err
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))
    kept = tomllib.loads((out / "job.toml").read_text())
    assert kept["limits"]["batch_size"] == 3
    assert Path(kept["output"]["path"]).resolve() == out.resolve()


def a_folder_that_is_no_harvest(servers: Servers, folder: Path) -> None:
    """A folder with other files is refused with exit code 2 and left as it is."""
    server = servers.start()
    out = folder / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    refused = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed",
        "--base-url", server.base_url, "-o", out,
    )  # fmt: skip
    assert refused.code == 2, refused.err
    assert "thesis.txt" in refused.err
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    for words in (["resume", out], ["status", out], ["resume", folder / "nothing"]):
        finished = servers.harvester(*words)
        assert finished.code == 2, finished.err
        assert "no harvest" in finished.err
    assert not server.log.entries


SCENARIOS = [
    Scenario(complete),
    Scenario(a_longer_list, "parquet"),
    Scenario(a_longer_list, "jsonl"),
    Scenario(another_job),
    Scenario(a_second_process),
    Scenario(resume_needs_nothing_else),
    Scenario(a_folder_that_is_no_harvest),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_harvest_run_again_asks_for_nothing_twice(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
