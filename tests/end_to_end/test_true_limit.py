"""A server that permits less than expected: the limit is found soon and used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.harness import assert_exact, expected_links, write_uids
from support.machine import Lateness

if TYPE_CHECKING:
    from pathlib import Path

    from support.servers import Servers

PERMITTED, EXPECTED, BATCH = 6, 10, 4


@pytest.mark.alone
def test_a_lower_limit_is_learnt_and_used(servers: Servers, tmp_path: Path) -> None:
    """After ten seconds few requests are refused, and most of the permitted rate is used."""
    server = servers.start(rate=PERMITTED, latency=(0.2,))
    uids = range(1, PERMITTED * 22 * BATCH + 1)
    with Lateness() as machine:
        finished = servers.harvester(
            "run", "--ids", write_uids(tmp_path / "ids", uids), "--dbfrom=pubmed", "--db=pmc",
            "--base-url", server.base_url, f"--rate={EXPECTED}", f"--batch-size={BATCH}",
            "-o", tmp_path / "out",
        )  # fmt: skip
    assert finished.code == 0, finished.err
    assert_exact(
        tmp_path / "out", "pubmed", uids, expected_links(server.graph, "pubmed", uids, ("pmc",))
    )
    begun = min(entry.arrived for entry in server.log)
    refused = [entry.status == 429 for entry in server.log]
    assert any(refused), "the limit was met"
    late = [entry for entry in server.log if entry.arrived > begun + 10]
    last = max(entry.arrived for entry in late) - (begun + 10)
    assert last > 8
    assert sum(entry.status == 429 for entry in late) <= 0.05 * len(late)
    answered = sum(entry.status == 200 for entry in late)
    machine.assert_share(answered / last / PERMITTED, 0.7)
