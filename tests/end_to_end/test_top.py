"""`harvester top`: its ranking, its requests, and what it refuses."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import pytest
from support.harness import harvester, rows, write_uids
from support.malicious_server import response

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers


def command_line(folder: Path, base_url: str, *options: str) -> list[object]:
    """Return the command line of a harvest into `out`."""
    return [
        "run", "--ids", write_uids(folder / "ids", range(1, 61)), "--dbfrom=pubmed",
        "--base-url", base_url, "--rate=200", "-o", folder / "out", *options,
    ]  # fmt: skip


def ranked(out: Path) -> list[tuple[int, int, str]]:
    """Return inputs, UID and database of each target, counted over the rows, in order."""
    inputs: dict[tuple[str, int], set[int]] = defaultdict(set)
    for row in rows(out, "links").to_pylist():
        inputs[row["dbto"], row["to_uid"]].add(row["from_uid"])
    order = sorted((-len(froms), uid, db) for (db, uid), froms in inputs.items())
    return [(-count, uid, db) for count, uid, db in order]


@pytest.mark.parametrize("form", ["parquet", "jsonl"])
def test_targets_titles_and_requests(servers: Servers, tmp_path: Path, form: str) -> None:
    server, out = servers.start(seed=2), tmp_path / "out"
    command = command_line(tmp_path, server.base_url, "--db=pubmed,pmc", f"--format={form}")
    assert servers.harvester(*command).code == 0
    expected, asked = ranked(out), len(server.log)
    listed = harvester("top", out, "-n", "20")
    assert [line.split("\t") for line in listed.out.splitlines()] == [
        [db, str(uid), str(count)] for count, uid, db in expected[:20]
    ]
    assert len(server.log) == asked, "a request was sent without --titles"
    said: list[dict[str, Any]] = json.loads(harvester("top", out, "--titles", "--json").out)
    assert [(one["inputs"], one["uid"], one["db"]) for one in said] == expected[:50]
    dbs = {one["db"] for one in said}
    assert [entry.utility for entry in list(server.log)[asked:]] == ["esummary"] * len(dbs)
    assert said[0]["title"] == f"Record {expected[0][1]} of {expected[0][2]}."


def test_titles_of_a_harvest_with_accessions(servers: Servers, tmp_path: Path) -> None:
    """UIDs of genes are texts there, in a column with accessions of proteins."""
    server, out = servers.start(), tmp_path / "out"
    ids = tmp_path / "ids"
    ids.write_text("NM_000546.6\nNM_001126112.3\nNP_000537.3\n")
    done = servers.harvester(
        "run", "--ids", ids, "--dbfrom=nuccore", "--db=protein,gene", "--idtype=acc",
        "--base-url", server.base_url, "--rate=200", "-o", out,
    )  # fmt: skip
    assert done.code == 0, done.err
    said = json.loads(harvester("top", out, "--titles", "--json").out)
    assert {one["db"] for one in said} == {"gene", "protein"}
    assert all(one["title"].startswith("Record ") for one in said)


def test_chain_is_ranked_as_a_whole(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(), tmp_path / "out"
    job = tmp_path / "job.toml"
    job.write_text(
        f"[source]\nids = '{write_uids(tmp_path / 'ids', range(1, 8))}'\n"
        f"[output]\npath = '{out}'\n[limits]\nrate = 200\n"
        f"[server]\nbase_url = '{server.base_url}'\n[[hop]]\ndbfrom = 'gene'\ndb = 'protein'\n"
        "[[hop]]\ndbfrom = 'protein'\ndb = 'structure'\n"
    )
    assert servers.harvester("run", job).code == 0
    expected = sorted(
        [one for hop in ("hop-1", "hop-2") for one in ranked(out / hop)],
        key=lambda one: (-one[0], one[1], one[2]),
    )
    said = json.loads(harvester("top", out, "--json", "-n", "100000").out)
    assert [(one["inputs"], one["uid"], one["db"]) for one in said] == expected
    assert {one["db"] for one in said} == {"protein", "structure"}


def test_titles_cannot_move_the_cursor(servers: Servers, tmp_path: Path) -> None:
    evil = response(
        json.dumps(
            {"result": {"uids": ["1"], "1": {"uid": "1", "title": "\x1b[2Jgone\ttab\nline"}}}
        ).encode()
    )
    server = servers.malicious_server(
        servers.start(), lambda request: evil if "esummary" in request.utility else None
    )
    assert servers.harvester(*command_line(tmp_path, server.base_url, "--db=pmc")).code == 0
    listed = harvester("top", tmp_path / "out", "--titles", "-n", "3")
    assert listed.code == 0, listed.err
    assert "\x1b" not in listed.out
    assert all(len(line.split("\t")) == 4 for line in listed.out.splitlines())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--targets-only", "--db=pmc"), "was harvested with targets_only"),
        (("--cmd=acheck",), "was harvested with cmd acheck"),
    ],
)
def test_rows_without_both_ends_are_refused(
    servers: Servers, tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    server = servers.start()
    assert servers.harvester(*command_line(tmp_path, server.base_url, *options)).code == 0
    refused = servers.harvester("top", tmp_path / "out")
    assert refused.code == 2
    assert said in refused.output


def test_unfinished_harvest_is_ranked_with_a_note(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    assert servers.harvester(*command_line(tmp_path, server.base_url, "--db=pmc")).code == 0
    servers.stop(server)
    write_uids(tmp_path / "ids", range(1, 301))
    command = command_line(tmp_path, server.base_url, "--db=pmc", "--give-up-after=1s")
    command[2] = write_uids(tmp_path / "more", range(1, 301))
    assert servers.harvester(*command).code == 69
    listed = harvester("top", tmp_path / "out")
    assert listed.code == 0
    assert "unfinished: only the links of 60 UIDs of 300 are used" in listed.err
    assert listed.out
