"""Random mixtures of faults over whole runs: the result equals the truth."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.harness import assert_exact, expected_links, write_uids
from support.timing import BACKOFF, FIRST_PROBE

from harvester.emulator.faults import NAMES

from .test_faults import ELSEWHERE

if TYPE_CHECKING:
    from support.servers import Servers

DBS = ("pmc", "gene")
PATIENT = {
    BACKOFF: 0.02,
    FIRST_PROBE: 0.2,
    "harvester.client.pacing.sliding_window.PAUSE_SECONDS": 0.05,
}
"""Faults come often here: between tries there are many more pauses than in a night."""

faults = st.dictionaries(
    st.sampled_from([name for name in NAMES if name not in ELSEWHERE and name != "lost-leading"]),
    st.integers(1, 12),
    min_size=1,
    max_size=5,
)
runs = st.fixed_dictionaries(
    {
        "faults": faults,
        "retmode": st.sampled_from(["json", "xml"]),
        "format": st.sampled_from(["parquet", "jsonl"]),
        "cmd": st.sampled_from(["neighbor", "neighbor_score"]),
        "passes": st.integers(1, 2),
        "batch": st.integers(1, 40),
        "first": st.integers(1, 2**40),
        "seed": st.integers(0, 99),
    }
)


def harvest_exactly(servers: Servers, run: dict[str, int | str | dict[str, int]]) -> None:
    """Run once; assert exit code 0, every link once, and an outcome for every UID."""
    drawn = run["faults"]
    assert isinstance(drawn, dict)
    assert isinstance(run["first"], int)
    uids = range(run["first"], run["first"] + 60)
    with servers.group() as group, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = group.start(
            seed=run["seed"],
            faults=tuple(f"{fault}:{share / 100}" for fault, share in drawn.items()),
            fault_seconds=3.0,
            drip_seconds=0.1,
        )
        finished = group.harvester(
            "run", "--ids", write_uids(folder / "ids", uids), "--dbfrom=pubmed",
            f"--db={','.join(DBS)}", f"--retmode={run['retmode']}", f"--format={run['format']}",
            f"--cmd={run['cmd']}", f"--passes={run['passes']}", f"--batch-size={run['batch']}",
            "--base-url", server.base_url, "--rate=200", "--timeout=1", "--max-attempts=12",
            "-o", folder / "out", env={"NCBI_API_KEY": "k" * 36}, patches=PATIENT,
        )  # fmt: skip
        assert finished.code == 0, finished.err
        scores = run["cmd"] == "neighbor_score"
        truth = expected_links(server.graph, "pubmed", uids, DBS, scores=scores)
        assert_exact(folder / "out", "pubmed", uids, truth)


@settings(
    max_examples=12,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(run=runs)
def test_any_mixture_of_faults(
    servers: Servers, run: dict[str, int | str | dict[str, int]]
) -> None:
    harvest_exactly(servers, run)


@pytest.mark.torture
@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(run=runs)
def test_many_mixtures_of_faults(
    servers: Servers, run: dict[str, int | str | dict[str, int]]
) -> None:
    harvest_exactly(servers, run)
