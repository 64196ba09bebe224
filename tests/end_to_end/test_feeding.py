"""Harvests of a search or a History set whose UIDs arrive while links are requested."""

from __future__ import annotations

import json
import signal
import urllib.parse
import urllib.request
from itertools import count
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from support import timing
from support.harness import (
    assert_exact,
    assert_polite,
    expected_links,
    harvester,
    rows,
    running,
    status,
    wait_until,
)
from support.malicious_server import response
from support.scenarios import Scenario

from harvester.emulator.request import UtilityRequest
from harvester.emulator.utilities.selections import selection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.malicious_server import Request
    from support.servers import Servers

    from harvester.emulator import Emulator

MANY = "asthma"
"""About 100,000 records of PubMed."""

SOME = "1:10000[UID]"
FAULTS = ("500:0.05", "cut:0.04", "bad-utf8:0.02", "empty:0.02", "short:0.02")
PAGES = {"harvester.sources.search.MOST": 500}
"""Records of a page of a search, so that short ones have many."""

SHORT_PATIENCE = {"harvester.client.outage_retry._PATIENCE_SECONDS": 2.0}
"""With a utility that fails though it has answered before."""

OFTEN = PAGES | timing.OFTEN
SOON = OFTEN | timing.SOON


def command_line(
    server: Emulator, out: object, *options: object, linkname: str = "pubmed_pmc"
) -> list[object]:
    """Return the command line of a fast harvest of one linkname."""
    dbfrom, db = linkname.split("_")
    return [
        "run", "--dbfrom", dbfrom, "--db", db, "--linkname", linkname, "--rate=300",
        "--batch-size=2000", "--base-url", server.base_url, "-o", out, *options,
    ]  # fmt: skip


def found_by(server: Emulator, term: str, db: str = "pubmed") -> list[int]:
    """Return what a query selects, computed from the whole graph."""
    asked = UtilityRequest.read(
        "esearch", f"term={urllib.parse.quote_plus(term)}", b"", "127.0.0.1"
    )
    return list(selection(asked).of(server.graph.records(db)))


def assert_done(folder: Path, server: Emulator, term: str) -> None:
    uids = found_by(server, term)
    truth = expected_links(server.graph, "pubmed", uids, ("pmc",), ("pubmed_pmc",))
    assert_exact(folder, "pubmed", uids, truth)


def arrivals(server: Emulator, utility: str) -> list[float]:
    return [entry.arrived for entry in server.log if entry.utility == utility]


def asked(server: Emulator, utility: str = "elink") -> int:
    return len(arrivals(server, utility))


def a_long_search(servers: Servers, folder: Path) -> None:
    """Links are requested before the last page of the search has arrived."""
    server, out = servers.start(latency=(0.02,)), folder / "out"
    finished = servers.harvester(*command_line(server, out, "--query", MANY))
    assert finished.code == 0, finished.err
    assert arrivals(server, "elink")[0] < arrivals(server, "esearch")[-1]
    assert_done(out, server, MANY)
    before = len(server.log)
    for again in (
        command_line(server, out, "--query", MANY),
        ["resume", out],
        ["run", out / "job.toml"],
    ):
        ended = servers.harvester(*again)
        assert ended.code == 0, ended.err
    assert len(server.log) == before
    other = servers.harvester(*command_line(server, out, "--query", "wheeze"))
    assert other.code == 2
    assert "source.query" in other.err
    assert len(server.log) == before
    assert status(out)["state"] == "complete"


def killed_in_the_middle(servers: Servers, folder: Path, form: str, *faults: str) -> None:
    """A resumed run repeats the search; no row is stored twice."""
    server, out = servers.start(latency=(0.05,), faults=faults), folder / "out"
    command = command_line(server, out, "--query", SOME, f"--format={form}", "--batch-size=200")
    kills = 0
    for number in range(3):
        before = asked(server)
        with running(*command, "--rate=40", err=folder / f"err{number}", patches=OFTEN) as run:
            wait_until(lambda b=before: asked(server) > b + 15, "it asks")  # type: ignore[misc]
            run.kill()
            kills += 1
    first, esearches = asked(server), asked(server, "esearch")
    resumed = servers.harvester("resume", out)
    assert resumed.code == 0, resumed.err
    assert asked(server, "esearch") > esearches
    assert_done(out, server, SOME)
    if not faults:
        assert asked(server) - first < 200, "what was committed is not asked again"


def another_query_costs_nothing(servers: Servers, folder: Path) -> None:
    """A folder with an unfinished search refuses another query before any request."""
    server, out = servers.start(latency=(0.05,)), folder / "out"
    command = command_line(server, out, "--query", SOME, "--batch-size=50", "--rate=30")
    with running(*command, err=folder / "err", patches=OFTEN) as run:
        wait_until(lambda: asked(server) > 10, "it asks")
        run.kill()
    before = asked(server, "esearch")
    other = servers.harvester(*command_line(server, out, "--query", "1:11000[UID]"))
    assert other.code == 2
    assert "source.query" in other.err
    assert asked(server, "esearch") == before


def killed_as_it_began(servers: Servers, folder: Path) -> None:
    """A run killed while its state is still empty can be run again."""
    server, out = servers.start(), folder / "out"
    out.mkdir()
    (out / "state.sqlite").touch()
    finished = servers.harvester(*command_line(server, out, "--query", "1:300[UID]"))
    assert finished.code == 0, finished.err
    assert_done(out, server, "1:300[UID]")


def stopped_in_the_middle(servers: Servers, folder: Path) -> None:
    server, out = servers.start(latency=(0.1,)), folder / "out"
    command = command_line(server, out, "--query", SOME, "--batch-size=200", "--rate=40")
    with running(*command, err=folder / "err", patches=OFTEN) as run:
        wait_until(lambda: asked(server) > 5, "it asks")
        run.signal(signal.SIGINT)
        ended = run.ended()
    assert ended.code == 130, ended.err
    assert_polite(ended.err)
    assert "harvester resume" in ended.err
    assert status(out)["state"] == "interrupted"
    assert servers.harvester("resume", out, "-q").code == 0
    assert_done(out, server, SOME)


def stopped_while_it_waits(servers: Servers, folder: Path) -> None:
    """A signal during an outage at the start ends the run and leaves no file."""
    server, out = servers.start(), folder / "out"
    servers.wait(server.fail(503))
    command = command_line(server, out, "--query", SOME, "--max-attempts=1")
    with running(*command, err=folder / "err", patches=SOON) as run:
        wait_until(lambda: "not answering" in run.stderr(), "it waits")
        run.signal(signal.SIGINT)
        ended = run.ended()
    assert ended.code == 130, ended.err
    assert_polite(ended.err)
    assert not out.exists()


def an_outage_in_the_middle(servers: Servers, folder: Path, kind: int | str) -> None:
    """An outage of all utilities during the search is waited out."""
    server, out = servers.start(latency=(0.05,), fault_seconds=30.0), folder / "out"
    command = command_line(server, out, "--query", SOME, "--rate=20", "--max-attempts=2")
    with running(*command, err=folder / "err", patches=SOON) as run:
        wait_until(lambda: asked(server, "esearch") > 3, "it searches")
        servers.wait(server.fail(kind))
        wait_until(lambda: "not answering" in run.stderr(), "it waits")
        servers.wait(server.recover())
        ended = run.ended()
    assert ended.code == 0, ended.err
    assert_polite(ended.err)
    assert_done(out, server, SOME)


def an_outage_of_the_search_alone(servers: Servers, folder: Path, failures: int) -> None:
    """ESearch answered before, so its failures are retried; if they last, the run ends."""
    server, out, searches = servers.start(), folder / "out", count()

    def respond(request: Request) -> bytes | None:
        fails = request.utility == "esearch.fcgi" and 5 <= next(searches) < 5 + failures
        return response(b"", status="503 Service Unavailable") if fails else None

    sick = servers.malicious_server(server, respond)
    command = command_line(server, out, "--query", SOME, "--base-url", sick.base_url)
    ended = servers.harvester(*command, patches=SOON | timing.IMPATIENT | SHORT_PATIENCE)
    assert "The server is not answering (HTTP 503)" in ended.err
    assert asked(server) > 0
    if failures > 100:
        assert ended.code == 1, ended.err
        assert "ESearch gave no complete answer" in ended.err
        assert f"Go on with: harvester resume {out}" in ended.err
        failures = 0
        ended = servers.harvester("resume", out)
    assert ended.code == 0, ended.err
    assert_done(out, server, SOME)


def given_up(servers: Servers, folder: Path) -> None:
    """A search that no server answers ends with exit code 69, before it began and in the middle."""
    server, out, never = servers.start(latency=(0.05,)), folder / "out", folder / "never"
    soon = SOON | timing.IMPATIENT
    command = command_line(server, out, "--query", SOME, "--rate=20", "--give-up-after=1s")
    with running(*command, err=folder / "err", patches=soon) as run:
        wait_until(lambda: asked(server, "esearch") > 3, "it searches")
        servers.wait(server.fail(503))
        ended = run.ended()
    assert ended.code == 69, ended.err
    assert f"{server.base_url} is not answering" in ended.err
    ended = servers.harvester(
        *command_line(server, never, "--query", SOME, "--give-up-after=1s"), patches=soon
    )
    assert ended.code == 69, ended.err
    assert not never.exists()
    servers.wait(server.recover())
    resumed = servers.harvester("resume", out)
    assert resumed.code == 0, resumed.err
    assert_done(out, server, SOME)


def nothing_found(servers: Servers, folder: Path) -> None:
    """A query without hits ends with a message and a suggestion, and makes no folder."""
    server, out = servers.start(), folder / "out"
    refused = servers.harvester(*command_line(server, out, "--query", "none AND asthmaaa"))
    assert refused.code == 2
    assert "No record of pubmed matches the query 'none AND asthmaaa'" in refused.err
    assert "did you mean 'none AND asthmaa'?" in refused.err
    assert not out.exists()
    piped = harvester(*command_line(server, "-", "--query", "none"))
    assert piped.code == 2
    assert piped.out == ""
    assert asked(server) == 0


def posted(server: Emulator, db: str, uids: list[int]) -> tuple[str, str]:
    """Store a set by EPost over plain HTTP; return WebEnv and query_key."""
    fields = {"db": db, "id": ",".join(map(str, uids))}
    body = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(f"{server.base_url}epost.fcgi", body) as answer:
        result = ET.fromstring(answer.read())
    return result.findtext("WebEnv", ""), result.findtext("QueryKey", "")


def a_history_set(servers: Servers, folder: Path) -> None:
    server, uids = servers.start(), [7, 3, 40_000_000, 41, *range(1000, 2000)]
    webenv, key = posted(server, "pubmed", uids)
    for form in ("parquet", "jsonl"):
        out = folder / form
        finished = servers.harvester(
            *command_line(server, out, "--webenv", webenv, "--query-key", key, f"--format={form}")
        )
        assert finished.code == 0, finished.err
        truth = expected_links(server.graph, "pubmed", uids, ("pmc",), ("pubmed_pmc",))
        assert_exact(out, "pubmed", uids, truth)
    before = len(server.log)
    again = command_line(server, folder / "jsonl", "--webenv", webenv, "--query-key", key)
    assert servers.harvester(*again, "--format=jsonl").code == 0
    assert servers.harvester("resume", folder / "jsonl").code == 0
    assert len(server.log) == before


def a_set_that_is_gone(servers: Servers, folder: Path) -> None:
    server, out = servers.start(history_life=0.0), folder / "out"
    webenv, key = posted(server, "pubmed", [1, 2, 3])
    for gone in ((webenv, key), ("MCID_nothing", "1")):
        refused = servers.harvester(
            *command_line(server, out, "--webenv", gone[0], "--query-key", gone[1])
        )
        assert refused.code == 2
        assert "does not exist or has expired" in refused.err
    assert not out.exists()
    assert asked(server) == 0


def a_set_that_goes_while_it_is_read(servers: Servers, folder: Path) -> None:
    """The History set of a search expires; the remaining UIDs are found by other requests."""
    server = servers.start(faults=("expired-webenv:0.7",), seed=3)
    term = "1:5000[UID]"
    command = command_line(server, folder / "out", "--query", term, linkname="gene_omim")
    finished = servers.harvester(*command, patches=PAGES)
    assert finished.code == 0, finished.err
    assert any(entry.fault and "WebEnv" in entry.names for entry in server.log)
    uids = found_by(server, term, "gene")
    truth = expected_links(server.graph, "gene", uids, ("omim",), ("gene_omim",))
    assert_exact(folder / "out", "gene", uids, truth)


def shares(servers: Servers, folder: Path) -> None:
    """The shares together are the whole, and no UID is in two of them."""
    server, together = servers.start(), list[int]()
    term = f"{MANY} AND 1:1000000[UID]"
    for number in (1, 2, 3):
        out = folder / str(number)
        command = command_line(server, out, "--query", term, f"--shard={number}/3")
        finished = servers.harvester(*command)
        assert finished.code == 0, finished.err
        together += rows(out, "uids")["from_uid"].to_pylist()
        said = status(out)
        assert said["uids"]["done"] == said["uids"]["total"]
    whole = found_by(server, term)
    assert sorted(together) == sorted(whole)
    for number in (1, 2, 3):
        assert abs(rows(folder / str(number), "uids").num_rows - len(whole) / 3) < len(whole) / 20


def through_a_pipe(servers: Servers, folder: Path) -> None:
    server = servers.start(faults=FAULTS)
    term = "1:10000[UID]"
    piped = harvester(*command_line(server, "-", "--query", term))
    assert piped.code == 0, piped.err
    found = [json.loads(line) for line in piped.out.splitlines()]
    uids = found_by(server, term)
    truth = expected_links(server.graph, "pubmed", uids, ("pmc",), ("pubmed_pmc",)).to_pylist()
    assert len(found) == len(truth)
    assert {tuple(row.values()) for row in found} == {tuple(row.values()) for row in truth}
    assert list(found[0]) == list(truth[0])


SCENARIOS = [
    Scenario(a_long_search),
    Scenario(killed_in_the_middle, "parquet"),
    Scenario(killed_in_the_middle, "jsonl", *FAULTS),
    *(Scenario(an_outage_in_the_middle, kind) for kind in (503, "reset")),
    *(Scenario(an_outage_of_the_search_alone, failures) for failures in (13, 1_000_000)),
    *(
        Scenario(case)
        for case in (
            given_up, another_query_costs_nothing, killed_as_it_began, stopped_in_the_middle,
            stopped_while_it_waits, nothing_found, a_history_set, a_set_that_is_gone,
            a_set_that_goes_while_it_is_read, shares, through_a_pipe,
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_search_feeds_the_harvest(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
