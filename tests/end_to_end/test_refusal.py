"""A server that refuses every request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.harness import assert_exact, expected_links, status, write_uids
from support.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

GOOD, BAD = "600d" * 9, "5ecre7" * 6
UIDS = range(1, 151)


def assert_unseen(key: str, folder: Path, said: str) -> None:
    """Assert that the key is in no file, no file name and no output."""
    assert key not in said
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) > 2
    for path in files:
        assert key not in path.name
        assert key.encode() not in path.read_bytes(), path


def a_bad_key(servers: Servers, folder: Path, *talk: str) -> None:
    """Exit code 4 after four refusals in a row. The state is kept, and the key is not shown
    although NCBI repeats it; with a good key the job goes on.

    At most three more requests are in flight when the fourth is refused.
    """
    server = servers.start(api_keys=(GOOD,), latency=(0.05,))
    ids, out = write_uids(folder / "ids", UIDS), folder / "out"
    refused = servers.harvester(
        "run", "--ids", ids, "--dbfrom=pubmed", "--db=pmc", "--base-url", server.base_url,
        "--batch-size=5", "--concurrency=4", "-o", out, *talk, env={"NCBI_API_KEY": BAD},
    )  # fmt: skip
    assert refused.code == 4, refused.err
    assert "NCBI_API_KEY" in refused.err
    assert 4 <= len(server.log) <= 7
    assert_unseen(BAD, out, refused.output)
    said = status(out)
    assert said["state"] == "interrupted"
    assert said["uids"]["total"] == len(UIDS)
    assert said["uids"]["failed"] == said["uids"]["missing"] == 0

    resumed = servers.harvester("resume", out, *talk, env={"NCBI_API_KEY": GOOD})
    assert resumed.code == 0, resumed.err
    assert_exact(out, "pubmed", UIDS, expected_links(server.graph, "pubmed", UIDS, ("pmc",)))
    assert_unseen(GOOD, out, resumed.output)


SCENARIOS = [
    Scenario(a_bad_key),
    Scenario(a_bad_key, "-q"),
    Scenario(a_bad_key, "-v", "--log-json"),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_refusal_ends_the_run_and_shows_no_key(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
