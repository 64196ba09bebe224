"""Parameters that a cmd does not accept, or that contradict each other, are refused before any
request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.harness import write_uids
from support.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from support.servers import Servers

Refusal = tuple[str, ...]
"""Options, and at last a word of what is said of them."""


def with_each(cmds: str, *rest: str) -> Iterable[Refusal]:
    """Return the same parameters for several cmds."""
    return ((f"--cmd={cmd}", *rest) for cmd in cmds.split())


LISTED: list[Refusal] = [
    *with_each("ncheck lcheck acheck llinks", "--term=cancer", "term is for"),
    *with_each("ncheck prlinks", "--reldate=9", "reldate is for"),
    *with_each("neighbor prlinks acheck", "--holding=exunilib", "holding is for"),
    *with_each("ncheck llinks", "--linkname=pubmed_pmc", "linkname is for"),
    *with_each("acheck ncheck llinks neighbor_history", "--passes=2", "passes compare lists"),
    *with_each("llinks ncheck neighbor_score", "--targets-only", "targets_only is for"),
    ("--targets-only", "--passes=2", "targets_only keeps none"),
    ("--query=cancer", "ids and query are different sources"),
    ("--webenv=W", "--query-key=1", "ids and webenv are different sources"),
    ("--from-run=elsewhere", "ids and run are different sources"),
    ("--mindate=2001", "mindate and maxdate go together"),
    ("--mindate=2002", "--maxdate=2001", "before mindate"),
    ("--datetype=pdat", "datetype alone filters nothing"),
    ("--dbfrom=gene", "--reldate=9", "only where dbfrom is pubmed"),
    ("--cmd=neighbour", "neighbor"),
    ("--idtype=accession", "acc"),
    ("--retmode=text", "xml"),
    ("--shard=3/2", "is not a share"),
]
"""With a list of UIDs."""

UNLISTED: list[Refusal] = [
    ("there are no input UIDs",),
    ("--query=cancer", "--from-run=elsewhere", "query and run are different sources"),
    ("--query= ", "it is empty"),
    ("--webenv=MCID_1", "webenv and query_key go together"),
    ("--query-key=1", "webenv and query_key go together"),
    ("--webenv=MCID_1", "--query-key=one", "is not the number of a set"),
    ("--ids-column=pmid", "ids_column is for tables"),
    ("--from-run=nowhere", "holds no harvest"),
]
"""Without."""


def refused(servers: Servers, folder: Path, source: str, refusals: list[Refusal]) -> None:
    """One message with exit code 2; no request is sent and no folder is made."""
    server = servers.start()
    ids = ["--ids", write_uids(folder / "ids", [1, 2])] if source == "listed" else []
    for *options, said in refusals:
        finished = servers.harvester(
            "run", *ids, "--dbfrom=pubmed", "--base-url", server.base_url, "-o", folder / "out",
            *options,
        )  # fmt: skip
        assert finished.code == 2, (options, finished.err)
        assert said.lower() in finished.err.lower(), (options, finished.err)
        assert finished.err.count("\n") <= 2, finished.err
    assert not server.log.entries
    assert not (folder / "out").exists()


SCENARIOS = [Scenario(refused, "listed", LISTED[start::2]) for start in range(2)]
SCENARIOS += [Scenario(refused, "unlisted", UNLISTED)]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: str(scenario)[:16])
def test_wrong_together(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
