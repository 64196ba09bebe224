"""The text after a run: where the result is, how to read it, what to do about failures."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from support.harness import expected_links, write_uids

import harvester

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

UIDS = range(1, 61)


@pytest.mark.parametrize(
    "options",
    [
        ("--format=parquet",),
        ("--format=jsonl",),
        ("--format=jsonl", "--compression=gzip"),
        ("--format=jsonl", "--compression=zstd"),
    ],
    ids=" ".join,
)
def test_each_line_reads_the_links(
    servers: Servers, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """The printed lines are copied and run; the folder's name needs quotes."""
    duckdb = pytest.importorskip("duckdb")
    server, out = servers.start(), tmp_path / "my 'links'"
    ended = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", server.base_url, "--rate=100", "-o", out, *options,
    )  # fmt: skip
    assert ended.code == 0, ended.err
    lines = dict(line.split(maxsplit=1) for line in ended.err.splitlines() if line[:2] == "  ")
    links = expected_links(server.graph, "pubmed", UIDS, ("pmc",)).num_rows
    assert links > 0
    read = eval(lines["Python"], {"harvester": harvester})
    assert read.num_rows == links
    assert len(duckdb.sql(lines["DuckDB"])) == links
    assert ("R" in lines) == ("parquet" in options[0])


@pytest.mark.torture
def test_failed_uids_come_with_the_command_that_queries_them_again(
    servers: Servers, tmp_path: Path
) -> None:
    sick, out = servers.start(faults=("poison@7", "short@11")), tmp_path / "my links"
    ended = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--base-url", sick.base_url, "--rate=100", "--max-attempts=2", "-o", out,
    )  # fmt: skip
    assert ended.code == 3, ended.err
    assert f"2 failed or missing UIDs are listed in {out}/unanswered.txt." in ended.err
    (line,) = (line for line in ended.err.splitlines() if "--retry-failed" in line)
    servers.stop(sick)
    servers.start(port=sick.port)
    again = servers.harvester(*shlex.split(line)[1:])
    assert again.code == 0, again.err
    assert "unanswered" not in again.err


def test_without_links_nothing_is_to_be_read(servers: Servers, tmp_path: Path) -> None:
    server = servers.start()
    ended = servers.harvester(
        "run", "--ids", write_uids(tmp_path / "ids", UIDS), "--dbfrom=pubmed", "--db=pmc",
        "--linkname=pubmed_pmc_bookrecords", "--base-url", server.base_url, "-o", tmp_path / "out",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    assert "0 links of 60 UIDs" in ended.err
    assert "Read the links" not in ended.err
