"""NCBI's error about a whole request, or about an accession, is shown to the user."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from support.harness import rows, write_uids
from support.malicious_server import Request, response
from support.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

NOT_SUPPORTED = "Exception:\nllinkslib command not supported"
"""NCBI's answer to cmd=llinkslib since 2026-09, in a LinkSet without ids."""


def _error(request: Request, text: str) -> bytes:
    """Return a LinkSet that names no UID; in JSON with an unescaped line end, as NCBI sends it."""
    if request.value("retmode") == "json":
        head = b'{"header":{"type":"elink","version":"0.3"},"linksets":[{"ERROR":"'
        return response(head + text.encode() + b'"}]}')
    body = f"<eLinkResult>\n<LinkSet><ERROR>{text}</ERROR></LinkSet>\n</eLinkResult>"
    return response(body.encode(), kind="text/xml")


def _elinks(requests: list[Request]) -> int:
    return sum(request.utility == "elink.fcgi" for request in requests)


def a_cmd_that_is_gone(servers: Servers, folder: Path, retmode: str, *more: str) -> None:
    """Two rejections end the run; the state is kept and can be resumed."""

    def respond(request: Request) -> bytes | None:
        return _error(request, NOT_SUPPORTED) if request.utility == "elink.fcgi" else None

    server = servers.malicious_server(servers.start(), respond)
    ended = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", range(1, 51)), "--dbfrom=pubmed",
        "--cmd=llinkslib", f"--retmode={retmode}", "--rate=5", "--base-url", server.base_url,
        "-o", folder / "out", *more,
    )  # fmt: skip
    assert ended.code == 2, ended.err
    assert "rejects the requests of this job: Exception: llinkslib command not supported." in (
        ended.err
    )
    assert 2 <= _elinks(server.requests) <= 8


def a_rejection_amid_answers(servers: Servers, folder: Path) -> None:
    """A wrong rejection of a valid database (2016: 5 % of calls) is retried."""
    seen: set[frozenset[int]] = set()

    def respond(request: Request) -> bytes | None:
        asked = frozenset(request.uids)
        new = request.utility == "elink.fcgi" and asked not in seen
        seen.add(asked)
        if new and len(seen) % 4 == 0:
            return _error(request, "Invalid db name specified: pubmed")
        return None

    server = servers.malicious_server(servers.start(), respond)
    ended = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", range(1, 41)), "--dbfrom=pubmed", "--db=pmc",
        "--rate=100", "--batch-size=2", "--concurrency=1", "--base-url", server.base_url,
        "-o", folder / "out",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert rows(folder / "out", "uids").num_rows == 40


def an_error_about_everything(servers: Servers, folder: Path) -> None:
    """Where the server otherwise works, the UID fails with NCBI's text."""

    def respond(request: Request) -> bytes | None:
        if request.utility == "elink.fcgi" and 7 in request.uids:
            return _error(request, "Unable to obtain query #1")
        return None

    server = servers.malicious_server(servers.start(), respond)
    ended = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", range(1, 21)), "--dbfrom=pubmed", "--db=pmc",
        "--rate=100", "--batch-size=5", "--max-attempts=2", "--base-url", server.base_url,
        "-o", folder / "out",
    )  # fmt: skip
    assert ended.code == 3, ended.err
    reasons = {
        row["from_uid"]: (row["outcome"], row["reason"])
        for row in rows(folder / "out", "uids").to_pylist()
        if row["reason"]
    }
    assert reasons == {7: ("failed", "Unable to obtain query #1")}


def another_version(servers: Servers, folder: Path) -> None:
    """An accession answered under its current version is missing; the reason names that version."""
    current = {"NM_000546.5": "NM_000546.6"}

    def respond(request: Request) -> bytes | None:
        if request.utility != "elink.fcgi":
            return None
        ids = [value for name, value in request.form if name == "id"]
        link = {"dbto": "protein", "linkname": "nuccore_protein", "links": ["NP_1.1"]}
        found = [
            {"dbfrom": "nuccore", "ids": [current.get(one, one)], "linksetdbs": [link]}
            for one in ids
        ]
        return response(json.dumps({"linksets": found}).encode())

    server = servers.malicious_server(servers.start(), respond)
    (folder / "ids").write_text("NM_000546.5\nNM_1.1\n")
    ended = servers.harvester(
        "run", "--ids", folder / "ids", "--idtype=acc", "--dbfrom=nuccore", "--db=protein",
        "--linkname=nuccore_protein", "--rate=100", "--base-url", server.base_url,
        "-o", folder / "out",
    )  # fmt: skip
    assert ended.code == 3, ended.err
    found = {
        row["from_uid"]: (row["outcome"], row["reason"])
        for row in pq.read_table(folder / "out" / "uids").to_pylist()
    }
    assert found == {
        "NM_000546.5": ("missing", "answered as NM_000546.6"),
        "NM_1.1": ("linked", None),
    }
    assert _elinks(server.requests) == 1


SCENARIOS = [
    Scenario(a_cmd_that_is_gone, "json"),
    Scenario(a_cmd_that_is_gone, "xml"),
    Scenario(a_cmd_that_is_gone, "json", "--batch-size=1"),
    Scenario(a_rejection_amid_answers),
    Scenario(an_error_about_everything),
    Scenario(another_version),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_what_ncbi_says_is_shown(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
