"""`harvester plan` against a server that records every request."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from support.cookbook import ROOT, blocks_in, run_block
from support.harness import Finished, environment, expected_links, harvester, rows, write_uids
from support.timing import IMPATIENT

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

PMC = ("--dbfrom=pubmed", "--db=pmc", "--linkname=pubmed_pmc")


def requests_per_utility(server: Emulator) -> Counter[str]:
    """Return the number of requests per utility."""
    return Counter(entry.utility for entry in server.log)


def said(finished: Finished) -> dict[str, Any]:
    """Return the document on standard output."""
    assert finished.code == 0, finished.output
    document: dict[str, Any] = json.loads(finished.output)
    return document


def test_plan_of_a_list_sends_no_request(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    ids = write_uids(tmp_path / "ids", [*range(1, 5001), *range(4000, 5001)])
    words = ["plan", "--ids", ids, *PMC, "--base-url", server.base_url, "--batch-size=100"]
    found = said(harvester(*words, "--json", cwd=tmp_path))
    assert (found["uids"], found["requests"]) == (5000, 50)
    assert not requests_per_utility(server)
    assert not [path for path in tmp_path.iterdir() if path != ids]


def test_plan_of_a_query_sends_one_esearch(servers: Servers) -> None:
    server = servers.start()
    words = ["plan", "--query=cancer", *PMC, "--base-url", server.base_url]
    found = said(servers.harvester(*words, "--json"))
    assert requests_per_utility(server) == {"esearch": 1}
    counted = servers.harvester(
        "counts", "cancer", "--base-url", server.base_url, "--json",
        patches={"harvester.job.ncbi.RATE_WITHOUT_KEY": 400},
    )  # fmt: skip
    by_db = {one["db"]: one["count"] for one in json.loads(counted.output)["counts"]}
    assert found["uids"] == by_db["pubmed"]


def test_plan_of_a_query_does_not_wait_for_a_server_that_is_down(servers: Servers) -> None:
    server = servers.start()
    servers.wait(server.fail(503))
    words = ["plan", "--query=cancer", *PMC, "--base-url", server.base_url]
    refused = servers.harvester(*words, patches=IMPATIENT)
    assert refused.code == 1
    assert refused.err.count("\n") == 1
    assert "ESearch gave no complete answer for the query 'cancer': HTTP 503" in refused.err


def test_probe_measures_links_by_five_requests(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    uids = range(1, 4001)
    ids = write_uids(tmp_path / "ids", uids)
    words = ["plan", "--ids", ids, "--dbfrom=pubmed", "--db=pubmed", "--probe", "--json"]
    found = said(
        servers.harvester(
            *words, "--linkname=pubmed_pubmed_refs", "--base-url", server.base_url, "--rate=100"
        )
    )
    assert requests_per_utility(server) == {"elink": 5}
    assert sum(entry.ids for entry in server.log) == 500
    truth = expected_links(server.graph, "pubmed", uids, ("pubmed",))
    refs = truth["linkname"].to_pylist().count("pubmed_pubmed_refs")
    assert found["links"]["basis"] == "probe"
    assert found["links"]["expected"] == pytest.approx(refs, rel=0.3)


def test_probe_of_a_failing_server_ends_after_five_requests(
    servers: Servers, tmp_path: Path
) -> None:
    server = servers.start(faults={"500": 1.0})
    ids = write_uids(tmp_path / "ids", range(1, 1001))
    words = ["plan", "--ids", ids, *PMC, "--probe", "--json", "--base-url", server.base_url]
    found = said(servers.harvester(*words, "--rate=100"))
    assert requests_per_utility(server)["elink"] == 5
    assert found["links"]["basis"] == "average"
    assert "No request of the probe was answered." in found["notes"]


def test_planned_job_file_runs(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    write_uids(tmp_path / "ids", range(1, 301))
    words = ["plan", "--ids=ids", *PMC, "--base-url", server.base_url, "--rate=100"]
    first = harvester(*words, "-o", "job.toml", "--out=links", cwd=tmp_path)
    assert first.code == 0, first.err
    assert "harvester run job.toml" in first.err
    before = (tmp_path / "job.toml").read_text()

    again = harvester(*words, "-o", "job.toml", "--out=other", cwd=tmp_path)
    assert again.code == 2
    assert "job.toml exists" in again.err
    assert (tmp_path / "job.toml").read_text() == before

    ran = harvester("run", "job.toml", cwd=tmp_path)
    assert ran.code == 0, ran.err
    truth = expected_links(server.graph, "pubmed", range(1, 301), ("pmc",))
    wanted = [name for name in truth["linkname"].to_pylist() if name == "pubmed_pmc"]
    assert rows(tmp_path / "links", "links").num_rows == len(wanted)

    left = said(harvester("plan", "job.toml", "--json", cwd=tmp_path))
    assert (left["uids"], left["left"], left["requests"]) == (300, 0, 0)
    refreshed = said(harvester("plan", "job.toml", "--json", "--refresh=0", cwd=tmp_path))
    assert (refreshed["uids"], refreshed["left"]) == (300, 300)
    write_uids(tmp_path / "ids", range(1, 401))
    more = said(harvester("plan", "job.toml", "--json", "--batch-size=50", cwd=tmp_path))
    assert (more["uids"], more["left"], more["requests"]) == (400, 100, 2)

    chained = harvester(
        "plan", "--from-run=links", "--dbfrom=pmc", "--db=pubmed", "--json",
        "--base-url", server.base_url, cwd=tmp_path,
    )  # fmt: skip
    targets = set(rows(tmp_path / "links", "links")["to_uid"].to_pylist())
    assert said(chained)["uids"] == len(targets)


def test_uids_of_standard_input_are_counted(tmp_path: Path) -> None:
    words = ["plan", "--ids=-", *PMC, "--json"]
    found = said(harvester(*words, stdin=b"3\n1\n3\n2\n", cwd=tmp_path))
    assert found["uids"] == 3
    assert any("standard input" in note for note in found["notes"])


def test_disk_and_links_are_as_a_probe_says(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(), tmp_path / "out"
    ids = write_uids(tmp_path / "ids", range(1, 5001))
    words = ["--ids", ids, "--dbfrom=pubmed", "--db=pubmed", "--linkname=pubmed_pubmed_refs"]
    words += ["--base-url", server.base_url, "--rate=100", "--out", out]
    found = said(servers.harvester("plan", *words, "--probe", "--json"))
    assert servers.harvester("run", *words).code == 0
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    assert found["links"]["expected"] == pytest.approx(rows(out, "links").num_rows, rel=0.3)
    assert found["bytes"] == pytest.approx(size, rel=0.35)


def test_shards_divide_the_list(servers: Servers, tmp_path: Path) -> None:
    ids = write_uids(tmp_path / "ids", range(1, 1001))
    counts = [
        said(servers.harvester("plan", "--ids", ids, *PMC, "--json", f"--shard={number}/3"))["uids"]
        for number in (1, 2, 3)
    ]
    assert sum(counts) == 1000
    assert all(250 < count < 420 for count in counts)


def test_ncbi_needs_no_email_to_be_planned_for(servers: Servers, tmp_path: Path) -> None:
    ids = write_uids(tmp_path / "ids", range(1, 40_001))
    found = said(servers.harvester("plan", "--ids", ids, *PMC, "--json", "--batch-size=200"))
    assert found["requests"] == 200
    assert any("--email" in note for note in found["notes"])
    refused = servers.harvester("plan", "--query=cancer", *PMC)
    assert refused.code == 2
    assert "contact email" in refused.err


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--ids=absent.txt", *PMC], ["a.txt"]),
        (["--dbfrom=pubmed"], ["--ids FILE"]),
        (["--ids=ids", "--dbfrom=pubmed", "--db=pmc", "--rate=20"], ["NCBI permits 3"]),
        (["--ids=ids", "--dbfrom=pubmed", "--db=gene", "--linkname=pubmed_pmc"], ["pubmed_pmc"]),
        (["--ids=ids", *PMC, "-o", "absent/job.toml"], ["a/job.toml", "cannot be written"]),
        (["--ids=ids", *PMC, "--out=links.csv"], ["looks like a file"]),
    ],
)
def test_wrong_input_is_refused_in_one_sentence(
    servers: Servers, words: list[str], parts: list[str], tmp_path: Path
) -> None:
    ids = write_uids(tmp_path / "ids", range(1, 11))
    words = [word.replace("=ids", f"={ids}").replace("absent", f"{tmp_path}/a") for word in words]
    finished = servers.harvester("plan", *words)
    assert finished.code == 2
    lines = finished.err.splitlines()
    assert len([line for line in lines if line.startswith("harvester: ")]) == 1
    for part in parts:
        assert part in lines[-1]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_lines_fit_the_terminal(servers: Servers, width: int, tmp_path: Path) -> None:
    ids = write_uids(tmp_path / "ids", range(1, 30_001))
    finished = servers.harvester("plan", "--ids", ids, *PMC, env={"COLUMNS": str(width)})
    assert finished.code == 0
    assert "requests   1" in finished.output
    for line in finished.output.splitlines():
        assert len(line) <= width or "https://" in line


_TIMES = re.compile(r"\w{3}( \d{4}-\d\d-\d\d)? \d\d:\d\d|CES?T")


def test_page_shows_what_the_program_says(servers: Servers, tmp_path: Path) -> None:
    """All commands of the page run; the first prints what is shown, except times."""
    server = servers.start()
    env = environment(NCBI_EMAIL="you@example.org", TZ="Europe/Berlin", COLUMNS="100")
    program = tmp_path / "bin" / "harvester"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m harvester "$@"\n')
    program.chmod(0o755)
    env["PATH"] = f"{program.parent}{os.pathsep}{env['PATH']}"
    local = env | {"HARVESTER_BASE_URL": server.base_url}
    blocks = blocks_in((ROOT / "docs/planning.md").read_text())
    commands = [block for block in blocks if block.language == "sh"]
    shown = next(block.text for block in blocks if block.language == "text")
    printed = run_block(commands[0], tmp_path, env)
    assert masked(printed) == masked(shown)
    for block in commands[1:]:
        run_block(block, tmp_path, local)


def masked(text: str) -> list[str]:
    return _TIMES.sub("TIME", " ".join(text.split())).split()
