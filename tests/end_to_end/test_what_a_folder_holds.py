"""A folder records what it holds: links or records, the server, and the side."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support.harness import assert_exact, digests, expected_links, write_uids
from support.scenarios import Scenario
from support.small_disks import assert_one_sentence
from support.tables import NAME, TEXT, UID, table

from harvester.store.sqlite import seal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

UIDS = range(1, 101)
SUMMARIES = [("db", NAME), ("uid", UID), ("record", TEXT)]
NCBI = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"


def command_line(folder: Path, server: Emulator, *options: object) -> list[object]:
    """Return the command line of a harvest of references into `out`."""
    return [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pubmed",
        "--linkname=pubmed_pubmed_refs", "--rate=300", "--base-url", server.base_url,
        "-o", folder / "out", *options,
    ]  # fmt: skip


def targets(server: Emulator) -> set[int]:
    """Return the articles referred to."""
    links = expected_links(server.graph, "pubmed", UIDS, ("pubmed",), ("pubmed_pubmed_refs",))
    return set(links["to_uid"].to_pylist())


def content(inner: Path) -> dict[str, bytes]:
    """Return the committed files of a folder of records."""
    return {str(path): path.read_bytes() for path in inner.glob("*/part-*")}


def forget(out: Path, *groups: str) -> None:
    """Remove groups from the identity in a state, as an older version wrote it."""
    with closing(sqlite3.connect(out / "state.sqlite")) as database, database:
        query = "SELECT value FROM meta WHERE key = 'identity'"
        identity = json.loads(database.execute(query).fetchone()[0])
        assert {"version", *groups} <= identity.keys()
        left = {key: identity[key] for key in identity if key not in ("version", *groups)}
        text = json.dumps(left)
        database.execute(
            "UPDATE meta SET value = ?, seal = ? WHERE key = 'identity'",
            (text, seal("identity", text)),
        )


def records_are_no_links(servers: Servers, folder: Path, form: str) -> None:
    """Commands that need links refuse it and name the right command; `verify` works."""
    server, out = servers.start(links_per_uid=3), folder / "out"
    for command in (command_line(folder, server, f"--format={form}"), ["records", out]):
        assert servers.harvester(*command).code == 0
    inner = out / "records" / "pubmed-summary"
    asked, before = len(server.log), content(inner)
    for old in (False, True):
        if old:  # as folders were before they said what they hold
            forget(inner, "holds", "server")
        for command in (
            ["resume", inner],
            ["run", inner / "job.toml"],
            ["run", inner / "job.toml", "--retry-failed"],
            ["records", inner],
            ["run", "--from-run", inner, "--dbfrom=pubmed", "-o", folder / "next",
             "--base-url", server.base_url],
            ["verify", inner, "--resample=100%"],
        ):  # fmt: skip
            refused = servers.harvester(*command)
            said = f"{inner} holds records of pubmed, not links. Go on with: harvester records"
            assert_one_sentence(refused, said, str(out), code=2)
        verified = servers.harvester("verify", inner)
        assert verified.code == 0, verified.output
        assert "all as they were committed" in verified.output
        shown = servers.harvester("status", inner).output
        assert "complete: records of pubmed, summary" in shown
        assert f"records   {len(targets(server))} in 1 file" in shown
        if not old:  # only its place says what an old folder holds
            refused = servers.harvester("resume", shutil.copytree(inner, folder / "moved"))
            assert_one_sentence(refused, "in records/ of the harvest", "move it back", code=2)
    link = folder / "link"
    link.symlink_to(inner)
    refused = servers.harvester("records", link)
    assert_one_sentence(refused, f"Go on with: harvester records {out}", code=2)
    assert len(server.log) == asked
    assert content(inner) == before
    again = servers.harvester("records", out)
    assert again.code == 0, again.output
    assert len(server.log) == asked


def each_side_has_its_folder(servers: Servers, folder: Path) -> None:
    """For links within one database, each side has as many records as UIDs."""
    server, out = servers.start(links_per_uid=3), folder / "out"
    assert servers.harvester(*command_line(folder, server)).code == 0
    sides = {"from": ("pubmed-summary-from", set(UIDS)), "to": ("pubmed-summary", targets(server))}
    for side, (name, uids) in sides.items():
        got = servers.harvester("records", out, f"--side={side}")
        assert got.code == 0, got.output
        assert f"{len(uids)} of {len(uids)} records of pubmed" in got.output
        found = table(out / "records" / name / "records", SUMMARIES)
        assert sorted(row["uid"] for row in found) == sorted(uids)
    refused = servers.harvester("resume", out / "records" / "pubmed-summary-from")
    assert_one_sentence(refused, f"harvester records {out} --side from", code=2)


def a_rehearsal_is_no_harvest(servers: Servers, folder: Path) -> None:
    """Another server is refused, and both are named; the earlier server continues."""
    server, other, out = servers.start(seed=1), servers.start(seed=99), folder / "out"
    assert servers.harvester(*command_line(folder, server)).code == 0
    before, job, asked = digests(out), (out / "job.toml").read_bytes(), len(server.log)
    elsewhere = {"HARVESTER_BASE_URL": other.base_url, "NCBI_EMAIL": "me@example.org"}
    for old in (False, True):
        if old:
            forget(out, "holds", "server")
        for command, now, env in (
            (command_line(folder, other), other.base_url, {}),
            ([*command_line(folder, server), "--base-url", NCBI, "--rate=3"], NCBI, elsewhere),
            (["resume", out], other.base_url, elsewhere),
            (["run", out / "job.toml", "--retry-failed"], other.base_url, elsewhere),
        ):
            refused = servers.harvester(*command, env=env)
            assert_one_sentence(refused, str(out), server.base_url, f"not {now}", code=2)
    next_hop = ["run", "--from-run", out, "--dbfrom=pubmed", "--db=pmc", "-o", folder / "next"]
    source = servers.harvester(*next_hop, "--base-url", other.base_url)
    assert source.code == 0, source.output
    assert f"are from {server.base_url}, and the UIDs in them" in source.output
    asked_there = len(other.log)
    got = servers.harvester("records", out, env=elsewhere)
    assert_one_sentence(got, str(out), server.base_url, f"not {other.base_url}", code=2)
    assert (len(server.log), len(other.log)) == (asked, asked_there)
    assert digests(out) == before
    assert (out / "job.toml").read_bytes() == job
    for url in (server.base_url, server.base_url.replace("127.0.0.1", "LocalHost").rstrip("/")):
        write_uids(folder / "ids", [*UIDS, 200 + len(url)])
        again = servers.harvester(*command_line_with(folder, url))
        assert again.code == 0, again.output
    whole = [*UIDS, 200 + len(server.base_url), 200 + len(server.base_url.rstrip("/"))]
    truth = expected_links(server.graph, "pubmed", whole, ("pubmed",), ("pubmed_pubmed_refs",))
    assert_exact(out, "pubmed", whole, truth)


def command_line_with(folder: Path, url: str) -> list[object]:
    """Return the command line of the same harvest, for another server."""
    return [
        "run", "--ids", folder / "ids", "--dbfrom=pubmed", "--db=pubmed",
        "--linkname=pubmed_pubmed_refs", "--base-url", url, "-o", folder / "out",
    ]  # fmt: skip


SCENARIOS = [
    *(Scenario(records_are_no_links, form) for form in ("parquet", "jsonl")),
    Scenario(each_side_has_its_folder),
    Scenario(a_rehearsal_is_no_harvest),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_folder_is_not_taken_for_what_it_is_not(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
