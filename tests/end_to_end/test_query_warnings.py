"""NCBI's warnings about a query are shown and kept, and end a run with `--strict`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.harness import harvester, status
from support.malicious_server import response

if TYPE_CHECKING:
    from support.malicious_server import Request
    from support.servers import Servers

SAID = {
    "outputmessages": ["Wildcard search uses only the first 600 variations"],
    "quotedphrasesnotfound": ['"no such phrase"'],
    "phrasesignored": ["of"],
}


def _warning(request: Request) -> bytes | None:
    """Answer ESearch as NCBI does when it ignores a part of a query."""
    if request.utility != "esearch.fcgi":
        return None
    found = {"count": "3", "retmax": "3", "retstart": "0", "idlist": ["5", "6", "7"]}
    document = {"header": {}, "esearchresult": found | {"warninglist": SAID}}
    return response(json.dumps(document).encode())


def words(base_url: str, out: Path) -> list[object]:
    return [
        "run", "--query", '"no such phrase" OR of', "--dbfrom=pubmed", "--db=pmc",
        "--base-url", base_url, "--rate=60", "-o", out,
    ]  # fmt: skip


def test_warnings_are_said_kept_and_shown(servers: Servers, tmp_path: Path) -> None:
    server = servers.malicious_server(servers.start(), _warning)
    out = tmp_path / "out"
    finished = servers.harvester(*words(server.base_url, out))
    assert finished.code == 0, finished.err
    for said in ("first 600 variations", "no such phrase", "Phrase ignored: of"):
        assert said in finished.err
        assert any(said in text for text in status(out)["warnings"])
    assert "no such phrase" in harvester("status", out).out


def test_with_strict_they_end_the_job_before_it_begins(servers: Servers, tmp_path: Path) -> None:
    emulator = servers.start()
    server = servers.malicious_server(emulator, _warning)
    out = tmp_path / "out"
    finished = servers.harvester(*words(server.base_url, out), "--strict")
    assert finished.code == 2, finished.err
    assert "no such phrase" in finished.err
    assert "--strict" in finished.err
    assert all(entry.utility != "elink" for entry in emulator.log)
    assert not out.exists()


def test_with_strict_they_end_a_run_into_a_pipe(servers: Servers) -> None:
    emulator = servers.start()
    server = servers.malicious_server(emulator, _warning)
    finished = harvester(*words(server.base_url, Path("-")), "--strict")
    assert (finished.code, finished.out) == (2, "")
    assert "no such phrase" in finished.err
    assert "--strict" in finished.err
    assert all(entry.utility != "elink" for entry in emulator.log)


@pytest.mark.parametrize(
    "path", ["ftp://bucket/out", "file:///tmp/out", "s3://bucket", "s3:/bucket/out"]
)
def test_an_output_that_is_a_url_is_refused(tmp_path: Path, path: str) -> None:
    finished = harvester(
        "run", "--ids=-", "--dbfrom=pubmed", "--base-url=http://127.0.0.1:9/", "-o", path,
        cwd=tmp_path, stdin=b"1\n",
    )  # fmt: skip
    assert finished.code == 2
    assert path in finished.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["links.csv", "links.parquet", "links.jsonl.gz"])
def test_an_output_that_looks_like_a_file_is_refused(tmp_path: Path, name: str) -> None:
    finished = harvester(
        "run", "--ids=-", "--dbfrom=pubmed", "--base-url=http://127.0.0.1:9/", "-o", name,
        cwd=tmp_path, stdin=b"1\n",
    )  # fmt: skip
    assert finished.code == 2
    assert "looks like a file" in finished.err
    assert "harvester export links --to csv links.csv" in finished.err
    assert list(tmp_path.iterdir()) == []
