"""Hints for common mistakes on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.harness import harvester, write_uids
from support.schemas import assert_follows

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["run", "pmids.txt"], "--ids pmids.txt"),
        (
            ["run", "--ids", "12345678", "--dbfrom=pubmed", "--email=a@example.org", "-o", "x"],
            "echo 12345678 |",
        ),
        (["run", "-out", "x"], "did you mean --out?"),
        (["run", "--ids", "a.txt", "b.txt", "c.txt"], "--ids takes one file: repeat it for each"),
        (["run", "-ids=x"], "did you mean --ids=x?"),
        (["counts", "A", "and", "B"], "counts 'A and B'"),
    ],
)
def test_a_slip_gets_a_hint_and_makes_no_folder(
    tmp_path: Path, words: list[str], hint: str
) -> None:
    (tmp_path / "pmids.txt").write_text("123\n")
    finished = harvester(*words, cwd=tmp_path)
    assert finished.code == 2
    assert hint in finished.err
    assert [path.name for path in tmp_path.iterdir()] == ["pmids.txt"]


def test_with_log_json_everything_on_stderr_is_json(servers: Servers, tmp_path: Path) -> None:
    """Events, summary, and the error of another run."""
    server = servers.start()
    ids, out = write_uids(tmp_path / "ids", range(1, 6)), tmp_path / "out"
    words = [
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
        "--rate=60", "--log-json", "-o", out,
    ]  # fmt: skip
    finished = harvester(*words)
    assert finished.code == 0
    last = [json.loads(line) for line in finished.err.splitlines()][-1]
    assert last["event"] == "RunEnded"
    assert sum(last["outcomes"].values()) == 5
    assert last["links"] >= 0
    assert last["exit_code"] == 0
    assert last["folder"] == str(out)
    wrong = harvester(*words, "--batch-size=0")
    assert wrong.code == 2
    (error,) = [json.loads(line) for line in wrong.err.splitlines()]
    assert error["event"] == "Error"
    assert error["exit_code"] == 2
    assert "batch_size" in error["message"]


def test_one_uid_is_not_called_uids(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    finished = harvester(
        "run", "--ids", write_uids(tmp_path / "ids", [5]), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=60", "-o", tmp_path / "out",
    )  # fmt: skip
    assert finished.code == 0
    assert "1 UID to request" in finished.err
    assert "of 1 UID (" in finished.err


def test_resume_replaces_the_limits_of_the_job(servers: Servers, tmp_path: Path) -> None:
    """A stopped harvest continues with larger batches."""
    server = servers.start(faults=("poison@3",))
    ids, out = write_uids(tmp_path / "ids", range(1, 41)), tmp_path / "out"
    first = harvester(
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
        "--rate=60", "--batch-size=1", "--max-attempts=1", "-o", out,
    )  # fmt: skip
    assert first.code == 3, first.err
    again = harvester("resume", out, "--retry-failed", "--max-attempts=2", "--rate=30")
    assert again.code == 3, again.err
    kept = (out / "job.toml").read_text()
    assert "max_attempts = 2" in kept
    assert "batch_size = 1" in kept
    wrong = harvester("resume", out, "--batch-size=0")
    assert wrong.code == 2
    assert "batch_size" in wrong.err
    assert harvester("resume", out, "--db=gene").code == 2


def test_lines_of_log_json_follow_the_published_schema(servers: Servers, tmp_path: Path) -> None:
    """A run with retries at the most verbose level, and an error."""
    server = servers.start(faults=["500:0.2", "short:0.1"])
    ids, out = write_uids(tmp_path / "ids", range(1, 61)), tmp_path / "out"
    words = [
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
        "--rate=100", "--batch-size=3", "-v", "--log-json", "-o", out,
    ]  # fmt: skip
    finished = harvester(*words)
    wrong = harvester(*words, "--batch-size=0")
    lines = [json.loads(line) for line in (finished.err + wrong.err).splitlines()]
    assert {"RunStarted", "RequestSent", "BatchRetried", "PartCommitted", "RunEnded", "Error"} <= {
        line["event"] for line in lines
    }
    for line in lines:
        assert_follows("events", line)
