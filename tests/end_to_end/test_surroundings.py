"""Proxies, home folders and limits of the machine."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    assert_exact,
    command,
    expected_links,
    running,
    status,
    wait_until,
    write_uids,
)

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

UIDS = range(1, 61)


def words(ids: Path, out: Path, base_url: str) -> list[object]:
    return [
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", base_url, "--rate=60",
        "--batch-size=2", "-o", out,
    ]  # fmt: skip


def test_a_proxy_is_used_and_its_refusal_ends_the_run(servers: Servers, tmp_path: Path) -> None:
    """An emulator is the proxy; it gets the request for a host that does not exist."""
    proxy = servers.start()
    out = tmp_path / "out"
    ended = servers.harvester(
        *words(write_uids(tmp_path / "ids", UIDS), out, "http://eutils.invalid/entrez/eutils/"),
        env={"http_proxy": f"http://127.0.0.1:{proxy.port}"},
    )
    assert ended.code == 0, ended.err
    assert len(proxy.log) > 0
    assert_exact(out, "pubmed", UIDS, expected_links(proxy.graph, "pubmed", UIDS, ("pmc",)))


def test_a_proxy_that_is_not_there_is_named(servers: Servers, tmp_path: Path) -> None:
    ended = servers.harvester(
        *words(write_uids(tmp_path / "ids", UIDS), tmp_path / "out", "http://eutils.invalid/"),
        "--give-up-after=1s",
        env={"http_proxy": "http://127.0.0.1:9"},
    )
    assert ended.code == 69, ended.err
    assert "the proxy http://127.0.0.1:9" in ended.err


def test_without_a_home_that_can_be_written_a_run_says_so_and_goes_on(
    servers: Servers, tmp_path: Path
) -> None:
    server = servers.start()
    (tmp_path / "file").write_text("no folder")
    ended = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", range(1, 11)), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=3", "-o", tmp_path / "out",
        env={"XDG_STATE_HOME": str(tmp_path / "file"), "XDG_CACHE_HOME": str(tmp_path / "file")},
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "cannot keep the rate limit together with others" in ended.err


def test_few_open_files_are_enough(servers: Servers, tmp_path: Path) -> None:
    """200 UIDs, one per request, at once: fewer requests are in flight."""
    server = servers.start(latency=(0.5,))
    uids, out = range(1, 201), tmp_path / "out"
    line = [*words(write_uids(tmp_path / "ids", uids), out, server.base_url), "--batch-size=1"]
    ran = subprocess.run(
        command(*line, "--rate=1000", "--window=always"),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=os.environ | {"NCBI_EMAIL": "tester@example.org"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)),
    )
    assert ran.returncode == 0, ran.stderr
    assert_exact(out, "pubmed", uids, expected_links(server.graph, "pubmed", uids, ("pmc",)))


@pytest.mark.parametrize("most", [1 << 12, 1 << 15])
def test_a_limit_of_the_size_of_files_is_named(servers: Servers, tmp_path: Path, most: int) -> None:
    """By every command that writes, and by `status`, which needs a SQLite file."""
    out = tmp_path / "out"
    line = words(write_uids(tmp_path / "ids", UIDS), out, servers.start().base_url)
    for command_line in (line, ["status", out]):
        ran = subprocess.run(
            command(*command_line),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env=os.environ | {"NCBI_EMAIL": "tester@example.org"},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        )
        assert "Traceback" not in ran.stderr
        if ran.returncode or command_line is line:
            where = f"{out / 'state.sqlite'} could not be written"
            assert ran.returncode == 1, ran.stderr
            assert where in ran.stderr
            assert "raise the limit of the size of a file (ulimit -f)" in ran.stderr


@pytest.mark.parametrize("name", ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGXCPU"])
def test_other_signals_end_a_run_gently(servers: Servers, tmp_path: Path, name: str) -> None:
    signum = getattr(signal, name)
    server = servers.start(latency=(0.3,))
    ids, out = write_uids(tmp_path / "ids", UIDS), tmp_path / "out"
    with running(
        *words(ids, out, server.base_url), "--concurrency=2", err=tmp_path / "err"
    ) as process:
        wait_until(lambda: sum(entry.status == 200 for entry in server.log) > 5, "answers")
        process.signal(signum)
        ended = process.ended()
    assert ended.code == 128 + signum, ended.err
    answered = sum(entry.ids for entry in server.log if entry.status == 200)
    assert status(out)["uids"]["done"] == answered, "all that was answered is kept"
    assert "harvester resume" in ended.err
