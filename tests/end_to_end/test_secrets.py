"""The API key is sent in the body of requests and appears nowhere else."""

from __future__ import annotations

import html
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest
from support.harness import rows, running, status, write_uids
from support.malicious_server import Request, response
from support.refusals import UnusedServer
from support.scenarios import Scenario
from support.timing import BACKOFF, FIRST_PROBE

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.harness import Running
    from support.servers import Servers

KEY = "5ec/re+7=%&<k>" * 3
"""NCBI's keys are hexadecimal; what this one is made of is written in many ways."""

SPELLINGS = {
    KEY, quote(KEY), quote(KEY, ""), quote_plus(KEY), html.escape(KEY), json.dumps(KEY)[1:-1],
    KEY.replace("/", "\\/"), KEY.encode("utf-16-le").decode("latin-1"),
}  # fmt: skip

UIDS = range(1, 91)


def assert_unseen(said: str | bytes, where: object) -> None:
    """Assert that no spelling of the key is in a text."""
    data = said.encode() if isinstance(said, str) else said
    for spelling in SPELLINGS:
        assert spelling.encode() not in data, where


def assert_unseen_in(folder: Path) -> int:
    """Assert that the key is in no file and no file name; return the number of files."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        assert_unseen(str(path), "a name")
        try:
            assert_unseen(path.read_bytes(), path)
        except FileNotFoundError:
            continue  # merged in the meantime
    return len(files)


def assert_unseen_rows(out: Path) -> None:
    """Assert that the key is not in compressed rows."""
    for kind in ("links", "uids"):
        assert_unseen(json.dumps(rows(out, kind).to_pylist()), kind)


def assert_unseen_all_along(command: Running, folder: Path) -> None:
    """Assert that the key never appears in /proc, the SQLite log or the output during a run."""
    looks, logs = 0, 0
    while command.alive:
        line = Path(f"/proc/{command.pid}/cmdline")
        assert_unseen(line.read_bytes() if line.exists() else b"", line)
        logs += (folder / "out" / "state.sqlite-wal").exists()
        looks += assert_unseen_in(folder) > 0
        time.sleep(0.05)
    assert looks > 3
    assert logs, "the log of the state was never there to be looked at"


def all_faults_at_once(servers: Servers, folder: Path, retmode: str, *talk: str) -> None:
    """With all faults, also an invalid key, which NCBI repeats, at the most verbose level."""
    server = servers.start(seed=9, faults=("all:0.4", "bad-key:0.05"), fault_seconds=2.0)
    out, env = folder / "out", {"NCBI_API_KEY": KEY, "XDG_STATE_HOME": str(folder / "state")}
    words = [
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--batch-size=3", "--timeout=1", "--rate=60",
        "--compression=none", f"--retmode={retmode}", "-v", *talk, "-o", out,
    ]  # fmt: skip
    soon = {
        BACKOFF: 0.05,
        FIRST_PROBE: 0.2,
    }
    with running(*words, err=folder / "err", env=env, patches=soon) as command:
        assert_unseen_all_along(command, folder)
        finished = command.ended()
    assert finished.code in (0, 3), finished.err
    faults = {entry.fault for entry in server.log}
    assert len(faults) > 5
    assert "again in" in finished.err or '"reason"' in finished.err
    assert_unseen_in(folder)
    assert_unseen_rows(out)
    checked = servers.harvester("verify", out, "--resample=10%", env=env)
    assert_unseen(checked.output, "verify")
    assert_unseen(json.dumps(status(out)), "status")
    assert_unseen_in(folder)


class Echo:
    """Repeats the key in every place of a response that the program might pass on.

    For two UIDs always, for some others only at the first request.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def __call__(self, request: Request) -> bytes | None:
        if request.uids <= {13, 14}:
            return repeated(request)
        new = request.uids - self._seen
        self._seen |= request.uids
        return repeated(request) if new else None


def repeated(request: Request) -> bytes | None:
    """The answer for one UID."""
    key, shown = request.value("api_key"), json.dumps(request.value("api_key"))
    found = {"dbfrom": "pubmed", "ids": [str(uid) for uid in request.uids]}
    if 13 in request.uids:
        error = f"the API key {key} may not see this"
        said: dict[str, Any] = {"linksets": [{**found, "ERROR": error}]}
        return response(json.dumps(said).encode())
    if 14 in request.uids:
        said = {"linksets": [], "ERROR": f"API key {quote_plus(key)}: exLinkSrv2 failed"}
        return response(json.dumps(said).encode())
    told = quote(key, "")
    return {
        1: response(
            f'{{"error":"API rate limit exceeded","api-key":{shown},"limit":"9"}}'.encode(),
            "X-RateLimit-Limit: 9", "Retry-After: 0", f"X-Key: {told}", status=f"429 {told}",
        ),
        4: response(f'{{"error":"API key invalid","api-key":{shown}}}'.encode(), status="400 Bad"),
        6: response(f"<html><body>{html.escape(key)} failed</body></html>".encode()),
        8: response(b"", f"Location: http://else.where/{told}", status="302 Found"),
        10: response(key.encode(), f"Set-Cookie: key={told}", status=f"500 {told}"),
        12: response(f'{{"linksets":[{{"ERROR":{shown}'.encode()),
        16: b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + key.encode(),
        18: b"HTTP/1.1 " + key.encode() + b"\r\n\r\n",
        20: response(b"", f"Content-Encoding: gzip\r\nX-Bad {told}"),
        22: response(f'{{"linksets":{shown}}}'.encode()),
    }.get(min(request.uids, default=0))  # fmt: skip


def a_server_that_repeats_it(servers: Servers, folder: Path, *talk: str) -> None:
    """The server repeats the key in headers, pages, errors of UIDs and broken responses."""
    malicious = servers.malicious_server(servers.start(), Echo())
    out, env = folder / "out", {"NCBI_API_KEY": KEY, "XDG_STATE_HOME": str(folder / "state")}
    finished = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", range(1, 41)), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", malicious.base_url, "--batch-size=1", "--max-attempts=3", "--rate=40",
        "--timeout=3", "--compression=none", "-v", *talk, "-o", out, env=env,
    )  # fmt: skip
    assert finished.code == 3, finished.err
    assert all(quote_plus(KEY).encode() in request.body for request in malicious.requests)
    assert len(malicious.requests) > 40
    reasons = [row["reason"] for row in rows(out, "uids").to_pylist() if row["reason"]]
    assert len(reasons) == 2
    assert all("***" in reason for reason in reasons), reasons
    assert_unseen(finished.output, "said")
    assert_unseen_in(folder)
    assert_unseen_rows(out)


def a_redirect(servers: Servers, folder: Path, number: int) -> None:
    """A redirect to another host is not followed, so that host does not get the key."""
    with UnusedServer() as unused:
        target = f"{unused.base_url}elink.fcgi?api_key={quote(KEY, '')}"
        for_good = number in (301, 308)
        moved = response(b"moved", f"Location: {target}", status=f"{number} Moved")

        def respond(request: Request) -> bytes | None:
            return moved if for_good or request.number <= 3 else None

        malicious = servers.malicious_server(servers.start(), respond)
        finished = servers.harvester(
            "run", "--ids", write_uids(folder / "ids", range(1, 21)), "--dbfrom=pubmed",
            "--db=pmc", "--base-url", malicious.base_url, "--batch-size=1", "--rate=50", "-v",
            "-o", folder / "out", env={"NCBI_API_KEY": KEY},
        )  # fmt: skip
        assert unused.connections() == 0
        if for_good:  # the user is told where to
            assert finished.code == 4, finished.err
            assert f"it has moved to {unused.base_url}elink.fcgi" in finished.err
        else:
            assert finished.code == 0, finished.err
    assert_unseen(finished.output, "said")
    assert_unseen_in(folder)


SCENARIOS = [
    Scenario(all_faults_at_once, "json"),
    Scenario(all_faults_at_once, "json", "--log-json"),
    Scenario(all_faults_at_once, "xml"),
    Scenario(all_faults_at_once, "xml", "--log-json", "--format=jsonl"),
    Scenario(a_server_that_repeats_it),
    Scenario(a_server_that_repeats_it, "--log-json"),
]
SCENARIOS += [Scenario(a_redirect, number) for number in (301, 302, 303, 307, 308)]


@pytest.mark.skipif(os.name == "nt", reason="what others see of a process is asked of /proc")
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_the_key_appears_nowhere(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
