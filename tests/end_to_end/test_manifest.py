"""`manifest.json`: present and exact once a run has ended, of every kind of run."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from support.harness import write_uids
from support.malicious_server import response
from support.manifests import assert_exact_manifest
from support.timing import BACKOFF

from harvester.emulator.utilities.einfo import BUILD

if TYPE_CHECKING:
    from pathlib import Path

    from support.malicious_server import MaliciousServer
    from support.servers import Servers

    from harvester.emulator import Emulator

FAST = {BACKOFF: 0.02}


def command_line(folder: Path, server: Emulator | MaliciousServer, *options: str) -> list[object]:
    """Return the command line of a harvest of PMC links into `out`."""
    return [
        "run", "--ids", write_uids(folder / "ids", range(1, 61)), "--dbfrom=pubmed",
        "--base-url", server.base_url, "--rate=200", "--max-attempts=2",
        "-o", folder / "out", *options,
    ]  # fmt: skip


@pytest.fixture
def cache(tmp_path: Path) -> dict[str, str]:
    """A cache of EInfo's answers for this test alone."""
    return {"XDG_CACHE_HOME": str(tmp_path / "cache")}


@pytest.mark.parametrize(
    "options",
    [
        ("--db=pmc", "--keep-raw"),
        ("--db=pmc", "--format=jsonl"),
        ("--db=pmc", "--format=jsonl", "--compression=zstd", "--passes=2"),
        ("--db=pmc,gene", "--cmd=acheck"),
        ("--cmd=ncheck",),
        ("--cmd=prlinks", "--format=jsonl", "--compression=gzip"),
        ("--db=pmc", "--cmd=neighbor_history"),
        ("--db=pmc", "--targets-only"),
    ],
    ids="_".join,
)
def test_manifest_agrees_with_every_file(
    servers: Servers, tmp_path: Path, options: tuple[str, ...]
) -> None:
    server = servers.start(faults=("short@7,11",))
    ended = servers.harvester(*command_line(tmp_path, server, *options), patches=FAST)
    assert ended.code in (0, 3), ended.output
    manifest = assert_exact_manifest(tmp_path / "out")
    assert manifest["server"]["base_url"] == server.base_url
    elinks = sum(entry.utility == "elink" for entry in server.log)
    assert elinks <= manifest["requests"]["sent"] <= len(server.log)  # it may ask EInfo, too


def test_run_again_without_requests_leaves_the_manifest_as_it_is(
    servers: Servers, tmp_path: Path
) -> None:
    server = servers.start(faults=("short@7,11",))
    (tmp_path / "bad").write_text("3\nno UID\n")
    command = command_line(tmp_path, server, "--db=pmc", "--skip-bad", f"--ids={tmp_path / 'bad'}")
    assert servers.harvester(*command, patches=FAST).code == 3
    kinds = {entry["kind"] for entry in assert_exact_manifest(tmp_path / "out")["files"]}
    assert kinds == {"links", "uids", "job", "unanswered", "rejected"}
    before, asked = (tmp_path / "out/manifest.json").read_bytes(), len(server.log)
    assert servers.harvester(*command, patches=FAST).code == 3
    assert (tmp_path / "out/manifest.json").read_bytes() == before
    assert len(server.log) == asked


def test_manifest_is_written_anew_after_retry_failed_and_reparse(
    servers: Servers, tmp_path: Path
) -> None:
    server = servers.start(faults=("short@7,11",))
    command = command_line(tmp_path, server, "--db=pmc", "--keep-raw")
    assert servers.harvester(*command, patches=FAST).code == 3
    before = assert_exact_manifest(tmp_path / "out")
    servers.stop(server)
    servers.start(port=server.port)
    assert servers.harvester(*command, "--retry-failed").code == 0
    after = assert_exact_manifest(tmp_path / "out")
    assert (before["uids"]["missing"], after["uids"]["missing"]) == (2, 0)
    assert after["started_at"] == before["started_at"]
    assert after["ended_at"] > before["ended_at"]
    assert servers.harvester("reparse", tmp_path / "out").code == 0
    again = assert_exact_manifest(tmp_path / "out")
    assert again["uids"] == after["uids"]
    assert again["server"] == after["server"]


def test_chain_and_records_have_manifests_of_their_own(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    job = tmp_path / "job.toml"
    job.write_text(
        f"[source]\nids = {json.dumps(str(write_uids(tmp_path / 'ids', range(1, 8))))}\n"
        f"[output]\npath = {json.dumps(str(tmp_path / 'out'))}\nrecords = 'summary'\n"
        f"[limits]\nrate = 200\n[server]\nbase_url = '{server.base_url}'\n"
        "[[hop]]\ndbfrom = 'gene'\ndb = 'protein'\n"
        "[[hop]]\ndbfrom = 'protein'\ndb = 'structure'\n"
    )
    assert servers.harvester("run", job).code == 0
    out = tmp_path / "out"
    hops = [assert_exact_manifest(out / hop) for hop in ("hop-1", "hop-2")]
    whole = json.loads((out / "manifest.json").read_text())
    assert whole["links"] == sum(hop["links"] for hop in hops)
    assert whole["by_linkname"] == hops[0]["by_linkname"] | hops[1]["by_linkname"]
    assert_lists_all_hops(out)
    (records,) = (out / "hop-2/records").iterdir()
    got = assert_exact_manifest(records)
    assert got["links"] == hops[1]["uids"]["total"] or got["links"] > 0
    assert {entry["kind"] for entry in got["files"]} == {"records", "uids", "job"}
    before = (out / "manifest.json").read_bytes()
    assert servers.harvester("run", job).code == 0
    assert (out / "manifest.json").read_bytes() == before


def assert_lists_all_hops(out: Path) -> None:
    """Assert that the manifest of the chain lists the files of all hops."""
    whole = {
        entry["name"]: entry for entry in json.loads((out / "manifest.json").read_text())["files"]
    }
    expected = {"job.toml", "hop-1/manifest.json", "hop-2/manifest.json"}
    for hop in ("hop-1", "hop-2"):
        for entry in json.loads((out / hop / "manifest.json").read_text())["files"]:
            expected.add(f"{hop}/{entry['name']}")
            assert whole[f"{hop}/{entry['name']}"]["sha256"] == entry["sha256"]
    assert whole.keys() == expected


# --- builds -----------------------------------------------------------------------------------


def test_einfo_is_asked_once_for_each_database(
    servers: Servers, tmp_path: Path, cache: dict[str, str]
) -> None:
    server = servers.start()
    assert servers.harvester(*command_line(tmp_path, server, "--db=pmc,gene"), env=cache).code == 0
    builds = assert_exact_manifest(tmp_path / "out")["server"]["builds"]
    assert builds == dict.fromkeys(["pubmed", "pmc", "gene"], BUILD)
    asked = [entry.utility for entry in server.log]
    assert asked.count("einfo") == 3
    other = [*command_line(tmp_path, server, "--db=pmc"), "-o", tmp_path / "other"]
    assert servers.harvester(*other, env=cache).code == 0
    assert [entry.utility for entry in server.log].count("einfo") == 3


def test_harvest_does_not_depend_on_einfo(
    servers: Servers, tmp_path: Path, cache: dict[str, str]
) -> None:
    broken = response(b"<html>Error</html>", status="500 Internal Server Error", kind="text/html")
    server = servers.malicious_server(
        servers.start(), lambda request: broken if "einfo" in request.utility else None
    )
    ended = servers.harvester(*command_line(tmp_path, server, "--db=pmc"), env=cache)
    assert ended.code == 0, ended.output
    assert assert_exact_manifest(tmp_path / "out")["server"]["builds"] == {}


# --- folders without one ----------------------------------------------------------------------


def forget(out: Path) -> None:
    """Make a folder as an earlier version left it: without a manifest and its data."""
    (out / "manifest.json").unlink()
    with closing(sqlite3.connect(out / "state.sqlite")) as state, state:
        state.execute(
            "DELETE FROM meta WHERE key IN ('contents', 'started_at', 'ended_at', 'builds')"
        )


def test_run_of_a_finished_folder_without_a_manifest_writes_it(
    servers: Servers, tmp_path: Path
) -> None:
    server = servers.start(faults=("short@7,11",))
    command = command_line(tmp_path, server, "--db=pmc")
    assert servers.harvester(*command, patches=FAST).code == 3
    before, asked = assert_exact_manifest(tmp_path / "out"), len(server.log)
    forget(tmp_path / "out")
    assert servers.harvester(*command, patches=FAST).code == 3
    assert len(server.log) == asked
    after = assert_exact_manifest(tmp_path / "out")
    assert after["files"] == before["files"]
    assert after["server"]["builds"] == {}
    assert after["requests"] == before["requests"]
