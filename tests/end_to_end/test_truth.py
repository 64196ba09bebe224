"""Every cmd, response format and output format: the rows on disk equal the graph."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

import pytest
from support.harness import (
    assert_exact,
    children,
    expected_links,
    rows,
    write_uids,
)
from support.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

DBS = ("pmc", "pubmed")
UIDS = [*sorted(random.Random(5).sample(range(1, 41000000), 180)), 1, 41000000]
SUFFIX = {"": "", "none": "", "gzip": ".gz", "zstd": ".zst"}


def every_form(
    servers: Servers, folder: Path, cmd: str, retmode: str, form: str, compression: str = ""
) -> None:
    """Duplicate input UIDs are requested once; each link and each UID is stored once."""
    server = servers.start(seed=7)
    ids = write_uids(folder / "ids", [*UIDS, *UIDS[:50], *reversed(UIDS)])
    finished = servers.harvester(
        "run", "--ids", ids, "--dbfrom=pubmed", f"--db={','.join(DBS)}", f"--cmd={cmd}",
        f"--retmode={retmode}", f"--format={form}",
        *([f"--compression={compression}"] if compression else []),
        "--base-url", server.base_url, "--rate=200", "--batch-size=25", "-o", folder / "out",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    truth = expected_links(server.graph, "pubmed", UIDS, DBS, scores=cmd == "neighbor_score")
    assert truth.num_rows > 30 * len(UIDS)
    assert_exact(folder / "out", "pubmed", UIDS, truth)
    # Links within pubmed have scores if requested; no other links have any.
    found = rows(folder / "out", "links").to_pylist()
    scored = {row["dbto"] for row in found if row["score"] is not None}
    assert scored == ({"pubmed"} if cmd == "neighbor_score" else set())
    # All were answered, so a sum of one each is each of them once.
    assert sum(entry.ids for entry in server.log) == len(UIDS)
    suffix = ".parquet" if form == "parquet" else f".jsonl{SUFFIX[compression]}"
    for kind in ("links", "uids"):
        assert all(path.name.endswith(suffix) for path in children(folder / "out", kind))


def all_databases(servers: Servers, folder: Path, retmode: str) -> None:
    """`all` is the default: links to every database, also with UIDs above 2^31."""
    server = servers.start(seed=3)
    uids = [*range(1, 40), 3_099_999_999, 2**31, 2**40]
    finished = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", uids), "--dbfrom=nuccore",
        f"--retmode={retmode}", "--base-url", server.base_url, "--rate=100", "-o", folder / "out",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    truth = expected_links(server.graph, "nuccore", uids)
    assert len(truth["dbto"].unique()) > 3
    assert max(truth["to_uid"].to_pylist()) > 2**31
    assert_exact(folder / "out", "nuccore", uids, truth)


def some_linknames(servers: Servers, folder: Path, retmode: str) -> None:
    """Two of many linknames."""
    server = servers.start(seed=4)
    names = ("pubmed_pubmed_refs", "pubmed_pmc_local")
    uids = range(1, 300)
    finished = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", uids), "--dbfrom=pubmed", "--db=pubmed,pmc",
        f"--linkname={','.join(names)}", f"--retmode={retmode}",
        "--base-url", server.base_url, "--rate=100", "-o", folder / "out",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    truth = expected_links(server.graph, "pubmed", uids, ("pubmed", "pmc"), names)
    assert set(truth["linkname"].to_pylist()) == set(names)
    assert_exact(folder / "out", "pubmed", uids, truth)


def linknames_are_enforced(servers: Servers, folder: Path, retmode: str) -> None:
    """Other linknames are dropped if a server ignores the parameter, as NCBI does with unknown
    ones.
    """
    server = servers.start(seed=4)
    tap = servers.tap(server, hide=b"&linkname=pubmed_pmc&")
    uids = range(1, 300)
    finished = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", uids), "--dbfrom=pubmed", "--db=pmc",
        "--linkname=pubmed_pmc", f"--retmode={retmode}",
        "--base-url", tap.base_url, "--rate=100", "-o", folder / "out",
    )  # fmt: skip
    assert finished.code == 0, finished.err
    assert all("linkname" not in entry.names for entry in server.log)
    truth = expected_links(server.graph, "pubmed", uids, ("pmc",), ("pubmed_pmc",))
    assert 0 < truth.num_rows < expected_links(server.graph, "pubmed", uids, ("pmc",)).num_rows
    assert_exact(folder / "out", "pubmed", uids, truth)


SCENARIOS = [
    Scenario(every_form, *words)
    for words in itertools.product(
        ("neighbor", "neighbor_score"), ("json", "xml"), ("parquet", "jsonl")
    )
]
SCENARIOS += [
    Scenario(every_form, "neighbor_score", "json", *words)
    for words in itertools.product(("parquet", "jsonl"), ("zstd", "gzip", "none"))
]
SCENARIOS += [
    Scenario(case, retmode)
    for case in (all_databases, some_linknames, linknames_are_enforced)
    for retmode in ("json", "xml")
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_rows_equal_the_graph(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
