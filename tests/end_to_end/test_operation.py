"""Options for unattended harvests: metrics for Prometheus, and a command at the end."""

from __future__ import annotations

import json
import re
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.harness import assert_exact, expected_links, harvester, running, wait_until, write_uids

from harvester import Job, harvest
from harvester.api.metrics import serve_metrics

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

UIDS = range(1, 201)


def _scraped(url: str) -> dict[str, float]:
    """Return every sample, by name and labels, as Prometheus' own parser reads it."""
    with urlopen(url, timeout=30) as response:
        assert response.status == HTTPStatus.OK
        text = response.read().decode()
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_metrics_agree_with_the_server_and_the_files(
    servers: Servers, tmp_path: Path
) -> None:
    server, out = servers.start(faults=["500:0.1"]), tmp_path / "out"
    job = Job(
        link={"dbfrom": "pubmed", "db": "pmc"},
        source={"ids": str(write_uids(tmp_path / "ids", UIDS))},
        output={"path": str(out)},
        server={"base_url": server.base_url},
        limits={"rate": 200, "batch_size": 5},
    )
    with serve_metrics(0) as (listener, url):
        await harvest(job, listeners=[listener])
        found = _scraped(url)
    truth = expected_links(server.graph, "pubmed", UIDS, ["pmc"])
    assert_exact(out, "pubmed", UIDS, truth)
    assert found["harvester_links"] == truth.num_rows
    assert found["harvester_input_uids"] == len(UIDS)
    linked = len(set(truth["from_uid"].to_pylist()))
    assert found["harvester_uids linked"] == linked
    assert found["harvester_uids empty"] == len(UIDS) - linked
    sent = [entry for entry in server.log if entry.utility == "elink"]
    assert found["harvester_requests_sent_total"] == len(sent)
    assert found["harvester_requests_answered_total"] == sum(e.status == 200 for e in sent)
    assert found["harvester_requests_retried_total"] >= sum(e.status == 500 for e in sent) > 0
    assert found["harvester_answer_seconds_count"] == sum(e.status == 200 for e in sent)
    assert found["harvester_requests_in_flight"] == 0


def test_the_command_serves_metrics_while_it_runs(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(latency=(0.2,)), tmp_path / "out"
    words = [
        "run", "--ids", write_uids(tmp_path / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=50", "--batch-size=1", "-o", out, "--metrics=0",
    ]  # fmt: skip
    with running(*words, err=tmp_path / "err") as run:
        wait_until(lambda: "Metrics: http" in run.stderr(), "it says where the metrics are")
        (url,) = re.findall(r"Metrics: (\S+)", run.stderr())
        assert url.startswith("http://127.0.0.1:")
        wait_until(
            lambda: _scraped(url)["harvester_requests_sent_total"] > 0, "a request is counted"
        )
        assert _scraped(url)["harvester_input_uids"] == len(UIDS)
        finished = run.ended()
    assert finished.code == 0, finished.err


def test_a_port_that_is_taken_is_refused(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = [
            "run", "--ids", write_uids(tmp_path / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
            "--base-url", server.base_url, "-o", tmp_path / "out",
            f"--metrics={taken.getsockname()[1]}",
        ]  # fmt: skip
        finished = harvester(*words)
    assert finished.code == 2
    assert "Address already in use" in finished.err
    assert not server.log
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("port", ["http", "-1", "65536", "9400/metrics", "1.5"])
def test_a_wrong_port_is_refused(port: str, tmp_path: Path) -> None:
    finished = harvester("run", f"--metrics={port}", "-o", tmp_path / "out")
    assert finished.code == 2
    assert port in finished.err
    assert finished.err.endswith("Write 9400, or 0.0.0.0:9400.\n")


def test_the_command_at_the_end_gets_the_manifest(servers: Servers, tmp_path: Path) -> None:
    server, out = servers.start(), tmp_path / "out"
    words = [
        "run", "--ids", write_uids(tmp_path / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=100", "-o", out,
        "--on-end", 'cat > got; echo "$HARVESTER_OUT|$HARVESTER_EXIT_CODE"',
    ]  # fmt: skip
    finished = harvester(*words, cwd=tmp_path)
    assert finished.code == 0, finished.err
    assert finished.out == ""
    assert finished.err.splitlines()[-1] == f"{out}|0"
    assert (tmp_path / "got").read_bytes() == (out / "manifest.json").read_bytes()
    assert json.loads((tmp_path / "got").read_text())["uids"]["total"] == len(UIDS)


def test_on_end_command_receives_the_error(servers: Servers, tmp_path: Path) -> None:
    """A refusal keeps its exit code; a failure of the command itself is an error."""
    server, out = servers.start(), tmp_path / "out"
    words = [
        "run", "--ids", write_uids(tmp_path / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=100", "-o", out,
    ]  # fmt: skip
    told = ["--on-end", "echo told $HARVESTER_EXIT_CODE; cat; exit 7"]
    done = harvester(*words, *told)
    assert done.code == 1
    assert "told 0" in done.err
    assert "ended with exit code 7; the harvest itself ended with 0" in done.err
    refused = harvester(*words, *told, "--linkname=pubmed_pmc")
    assert refused.code == 2, refused.err
    assert "told 2" in refused.err
    assert "ended with exit code 7; the harvest itself ended with 2" in refused.err
    assert '"files"' not in refused.err.partition("told 2")[2]


def test_on_end_needs_a_folder(tmp_path: Path) -> None:
    ids = write_uids(tmp_path / "ids", UIDS)
    finished = harvester(
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "-o", "-", "--on-end=true",
        "--email=a@b.c",
    )  # fmt: skip
    assert finished.code == 2
    assert "--on-end needs a folder" in finished.err
