"""`databases`, `linknames` and `counts` against the emulator, over real sockets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from support.harness import Finished, harvester
from support.malicious_server import response

from harvester.emulator import SeededGraph
from harvester.emulator.utilities.fields import PUBMED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.malicious_server import MaliciousServer, Request
    from support.servers import Servers

    from harvester.emulator import Emulator

    Say = Callable[..., Finished]

FAST = {"harvester.job.ncbi.RATE_WITHOUT_KEY": 400}
"""Forty questions at three a second take a while."""

GRAPH = SeededGraph(5)
LISTED = [family for family in GRAPH.families("pubmed") if family.listed]
MOVED = response(
    b"<html>",
    "Location: https://ext-http-eutils.example.org/",
    status="301 Moved",
    kind="text/html",
)
"""As NCBI answers EGQuery since 2024."""


@pytest.fixture
def say(tmp_path: Path) -> Say:
    """Run a command with the test's own cache folder."""

    def run(server: Emulator | MaliciousServer, *args: object, **env: str) -> Finished:
        env = {"HARVESTER_BASE_URL": server.base_url, "XDG_CACHE_HOME": str(tmp_path / "c"), **env}
        return harvester(*args, env=env, patches=FAST)

    return run


def _columns(said: str) -> list[list[str]]:
    return [line.split("\t") for line in said.splitlines()]


def _counted(server: Emulator) -> int:
    return sum(1 for _ in server.log)


# --- databases ------------------------------------------------------------------------------


def test_all_databases_are_told_of_and_asked_about_once(servers: Servers, say: Say) -> None:
    server = servers.start(seed=5)
    first = say(server, "databases")
    assert first.code == 0, first.err
    assert "Asking EInfo about" in first.err
    rows = {row[0]: row[1:] for row in _columns(first.out)}
    assert len(rows) >= 39
    menu, count, links, updated, description = rows["pubmed"]
    assert (menu, description) == ("PubMed", "PubMed record")
    assert int(count) == len(GRAPH.records("pubmed"))
    assert int(links) == len(LISTED)
    assert updated == "2025/11/27 06:33"
    assert _counted(server) == len(rows) + 1
    second = say(server, "databases")
    assert second.out == first.out
    assert second.err == ""
    assert _counted(server) == len(rows) + 1


def test_databases_in_json_have_fields_and_links(servers: Servers, say: Say) -> None:
    server = servers.start(seed=5)
    finished = say(server, "databases", "--json", "-q")
    assert finished.err == ""
    pubmed = next(one for one in json.loads(finished.out) if one["name"] == "pubmed")
    assert [link["name"] for link in pubmed["links"]] == [family.linkname for family in LISTED]
    assert [field["name"] for field in pubmed["fields"]] == [name for name, _ in PUBMED]


# --- linknames ------------------------------------------------------------------------------


def test_the_links_from_a_database(servers: Servers, say: Say) -> None:
    server = servers.start(seed=5)
    rows = _columns(say(server, "linknames", "pubmed").out)
    assert [row[:2] for row in rows] == [[family.linkname, family.dbto] for family in LISTED]
    assert _counted(server) == 1
    some = json.loads(say(server, "linknames", "pubmed", "--db", "pmc", "--json").out)
    expected = [family.linkname for family in LISTED if family.dbto == "pmc"]
    assert [link["name"] for link in some] == expected
    assert len(some) > 1
    assert _counted(server) == 2  # the list of databases, to see that there is a pmc


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("linknames pubmd", "there is no database 'pubmd' (did you mean 'pubmed'?)."),
        ("linknames pubmed --db pmcc", "db: there is no database 'pmcc' (did you mean 'pmc'?)."),
    ],
)
def test_an_unknown_database_is_refused_and_remembered(
    servers: Servers, say: Say, words: str, said: str
) -> None:
    server = servers.start(seed=5)
    for _ in range(2):
        finished = say(server, *words.split())
        assert (finished.code, finished.out) == (2, "")
        assert finished.err.endswith(f"{said}\n")
        assert _counted(server) == 2


def test_run_uses_what_was_looked_up(servers: Servers, say: Say, tmp_path: Path) -> None:
    server = servers.start(seed=5)
    assert say(server, "linknames", "pubmd").code == 2
    (tmp_path / "ids").write_text("1\n")
    job = ["--ids", tmp_path / "ids", "--dbfrom=pubmd", "-o", tmp_path / "out"]
    finished = say(server, "run", *job)
    assert (finished.code, _counted(server)) == (2, 2)
    assert "link.dbfrom: there is no database 'pubmd' (did you mean 'pubmed'?)." in finished.err


def test_the_graph_goes_to_a_file_or_to_stdout(servers: Servers, say: Say, tmp_path: Path) -> None:
    server = servers.start(seed=5)
    path = tmp_path / "links.svg"
    finished = say(server, "linknames", "--graph", path)
    assert (finished.code, finished.out) == (0, "")
    assert str(path) in finished.err
    told = "\n".join(ET.fromstring(path.read_text()).itertext())
    for family in LISTED:
        assert family.linkname in told
    assert say(server, "linknames", "--graph").out == path.read_text()


# --- counts ---------------------------------------------------------------------------------


def test_egquery_tells_in_one_request(servers: Servers, say: Say) -> None:
    server = servers.start(seed=5, egquery=True)
    finished = say(server, "counts", "asthma")
    counts = [int(row[1]) for row in _columns(finished.out)]
    assert len(counts) >= 39
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 0
    assert [entry.utility for entry in server.log] == ["egquery"]


def test_without_egquery_each_database_is_searched(servers: Servers, say: Say) -> None:
    """Both methods give the same counts; a search that fails is reported and the others succeed."""
    server = servers.start(seed=5, egquery=True)
    before = {row[0]: row[1] for row in _columns(say(server, "counts", "asthma").out)}

    def respond(request: Request) -> bytes | None:
        if request.utility == "egquery.fcgi":
            return MOVED
        if request.utility == "esearch.fcgi" and request.value("db") == "mesh":
            return response(b'{"esearchresult":{"ERROR":"no backend\\u001b for mesh"}}')
        return None

    server = servers.start(seed=5)  # without EGQuery, as at NCBI
    finished = say(servers.malicious_server(server, respond), "counts", "asthma", "--json")
    assert finished.code == 0, finished.err
    said = json.loads(finished.out)
    after = {one["db"]: one["count"] for one in said["counts"]}
    assert said["counts"][-1] == {"db": "mesh", "count": None, "reason": "no backend? for mesh"}
    assert after.pop("mesh") is None
    for db in ("mesh", "nucleotide"):  # the second is an alias, which EGQuery counts apart
        del before[db]
    del after["nucleotide"]
    assert after == {db: int(count) for db, count in before.items()}
    asked = [entry.utility for entry in server.log]
    assert asked.count("esearch") == len(said["counts"]) - 1
    assert set(asked) == {"einfo", "esearch"}


def test_a_query_without_hits_gets_its_suggestion(servers: Servers, say: Say) -> None:
    def respond(request: Request) -> bytes | None:
        if request.utility == "egquery.fcgi":
            item = b"<ResultItem><DbName>pubmed</DbName><Count>0</Count></ResultItem>"
            return response(b"<Result><eGQueryResult>" + item + b"</eGQueryResult></Result>")
        return None

    server = servers.malicious_server(servers.start(seed=5), respond)
    finished = say(server, "counts", "asthmmma")
    assert finished.out == "pubmed\t0\t\n"
    assert finished.err == "Nothing matches; did you mean: asthmma\n"
    assert json.loads(say(server, "counts", "asthmmma", "--json").out)["suggestion"] == "asthmma"


# --- what goes wrong ------------------------------------------------------------------------

COMMANDS = ["databases", "linknames pubmed", "linknames --graph", "counts asthma"]


@pytest.mark.parametrize("words", COMMANDS)
def test_nobody_there_is_one_sentence(say: Say, words: str) -> None:
    server = "http://127.0.0.1:9/"
    finished = harvester(*words.split(), "--base-url", server, patches=FAST)
    assert (finished.code, finished.out) == (1, "")
    utility = "EGQuery" if "counts" in words else "EInfo"
    assert finished.err.startswith(
        f"harvester: {utility} at {server} gives no answer: no connection"
    )
    assert finished.err.count("\n") == 1


@pytest.mark.parametrize("words", COMMANDS)
def test_ncbi_is_not_asked_without_an_address(words: str) -> None:
    finished = harvester(*words.split())
    assert (finished.code, finished.out) == (2, "")
    assert "NCBI requires a contact email" in finished.err


def test_a_bad_key_is_told_at_once_and_not_repeated(servers: Servers, say: Say) -> None:
    server = servers.start(seed=5, api_keys=("good",))
    finished = say(server, "counts", "asthma", NCBI_API_KEY="wrongwrong")
    assert finished.code == 4
    assert "NCBI_API_KEY" in finished.err
    assert "wrongwrong" not in finished.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["linknames"], "DBFROM is missing"),
        (["linknames", "pub med"], "'pub med' is not a name"),
        (["linknames", "pubmed", "--db", ""], "'' is not a name"),
        (["linknames", "pubmed", "--graph"], "leave DBFROM, --db and --json out"),
        (["linknames", "--graph", "pubmed"], "ends in .svg"),
        (["linknames", "--graph", "no/where.svg"], "there is no folder no."),
        (["counts"], "Missing argument 'TERM'"),
        (["counts", " "], "TERM is empty"),
        (["counts", b"\xff".decode("utf-8", "surrogateescape")], "not valid UTF-8"),
        (["databases", "--api-key=x"], "NCBI_API_KEY alone"),
        (["databases", "--email=x"], "contact.email: 'x' is not an email address"),
    ],
)
def test_bad_words_are_refused_before_anything_is_asked(
    servers: Servers, say: Say, words: list[str], said: str, tmp_path: Path
) -> None:
    server = servers.start(seed=5)
    finished = say(server, *words)
    assert (finished.code, finished.out) == (2, "")
    assert said in finished.err
    assert _counted(server) == 0
