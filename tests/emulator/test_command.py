"""`harvester emulate` as a process: base URL on the first line, options, end by a signal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from harvester.emulator import SeededGraph
from harvester.emulator.command import emulate
from harvester.emulator.faults import NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMAND = [sys.executable, "-m", "harvester.emulator", "--port", "0"]


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Yield a process and the base URL that it printed."""
    with subprocess.Popen([*COMMAND, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as response:
        body: bytes = response.read()
        return body


def test_serves_the_graph_of_its_seed_until_a_signal(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    with running("--seed", "9", "--log", str(log)) as (process, url):
        assert url.startswith("http://127.0.0.1:")
        assert url.endswith("/entrez/eutils/")
        answer = json.loads(get(f"{url}elink.fcgi?dbfrom=gene&db=protein&id=7157&retmode=json"))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    (links,) = SeededGraph(9).links("gene", 7157, "protein")
    links_sent = answer["linksets"][0]["linksetdbs"][0]["links"]
    assert links_sent == [str(uid) for uid in links.to_uids]
    assert json.loads(log.read_text())["utility"] == "elink"


def test_serves_a_table_and_ends_by_sigterm(tmp_path: Path) -> None:
    table = tmp_path / "links.tsv"
    rows = ["dbfrom\tfrom_uid\tdbto\tlinkname\tto_uid", "pubmed\t5\tpmc\tpubmed_pmc\t77"]
    table.write_text("\n".join(rows) + "\n")
    with running("--links", str(table), "--no-limit") as (process, url):
        body = get(f"{url}elink.fcgi?dbfrom=pubmed&db=pmc&id=5&retmode=json")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert body == (
        b'{"header":{"type":"elink","version":"0.3"},"linksets":[{"dbfrom":"pubmed","ids":["5"],'
        b'"linksetdbs":[{"dbto":"pmc","linkname":"pubmed_pmc","links":["77"]}]}]}\n'
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fault", "5000:0.1"], "Unknown fault '5000'"),
        (["--fault", "500:7"], "from 0 to 1"),
        (["--latency", "fast"], "'fast' is not a latency. Give seconds such as 0.8"),
        (["--latency", "lognormal:40,1"], "such as lognormal:1,40"),
        (["--latency", "-1"], "is not a latency"),
        (["--workers", "many"], "'many' is not a number of workers. Give N, such as 16"),
        (["--workers", "16,4@360-60"], "such as 16,4@60-360"),
        (["--workers", "4", "--queue", "-1"], "--queue"),
        (["--queue", "3"], "--queue requires --workers"),
        (["--restart", "10,300"], "a shorter downtime in seconds, such as 300,10"),
        (["--outage", "60-10"], "span of seconds"),
        (["--rate", "3", "--no-limit"], "exclude each other"),
        (["--rate", "0"], "--rate"),
        (["--links", "nowhere.tsv"], "nowhere.tsv"),
    ],
)
def test_bad_options_are_rejected(options: list[str], message: str) -> None:
    result = CliRunner().invoke(emulate, ["--port", "0", *options])
    assert result.exit_code == 2
    assert message in " ".join(result.output.replace("│", " ").split())


def test_faults_are_listed() -> None:
    assert CliRunner().invoke(emulate, ["--list-faults"]).output.split() == list(NAMES)


def test_help_does_not_import_slow_packages() -> None:
    program = (
        "import sys, harvester.emulator.command;"
        "print([name for name in ('aiohttp', 'numpy', 'pyarrow') if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


def test_nothing_of_the_harvester_is_imported() -> None:
    program = (
        "import sys, harvester.emulator.server, harvester.emulator.thread;"
        "print([n for n in sys.modules if n.startswith('harvester.')"
        " and not n.startswith('harvester.emulator')])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
