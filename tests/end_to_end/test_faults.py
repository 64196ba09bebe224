"""Every fault of the emulator by name: the result on disk equals the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest
from support.harness import Finished, assert_exact, expected_links, rows, write_uids
from support.scenarios import Scenario

from harvester.emulator.faults import NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

    from harvester.emulator import Emulator

DBS = ("pmc", "gene")
UIDS = range(1_000, 1_400)

ELSEWHERE = {
    "poison": "a UID that nothing saves: test_unanswered",
    "bad-key": "a refusal, now and then: below, and for good in test_refusal",
    "lost-leading": "silent: below",
    "lost-blocks": "silent: below",
    "expired-webenv": "befalls jobs from the History server alone",
}


class Case(NamedTuple):
    """Faults, and the format of the responses that have them."""

    retmode: str
    faults: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.retmode}-{'-'.join(self.faults)}"


ALONE = [Case("json", (f"{name}:0.2",)) for name in NAMES if name not in ELSEWHERE]
IN_XML = [
    Case("xml", (f"{name}:0.2",))
    for name in ("cut", "control-chars", "bad-utf8", "doubled", "id-0", "error-in-linksetdb")
]
MIXED = [
    Case("json", ("all:0.25",)),
    Case("xml", ("all:0.25",)),
    Case("json", ("short:0.1", "doubled:0.1", "id-0:0.1", "alien:0.1", "no-ids:0.1")),
    Case("json", ("500:0.05", "reset:0.05", "cut-close:0.05", "gzip-cut:0.05")),
    Case("xml", ("error-readall:0.05", "exception-in-linksetdb:0.1", "cut:0.05", "html-200:0.05")),
    Case("json", ("bad-key:0.04",)),
]
"""`all` leaves out what no client can notice."""

SILENT = [Case(retmode, ("lost-leading:0.2",)) for retmode in ("json", "xml")]


def all_faults_repaired(servers: Servers, folder: Path, case: Case) -> None:
    """Every link is stored once, every UID is answered, exit code 0."""
    server, finished = harvest(servers, folder, case)
    assert finished.code == 0, finished.err
    truth = expected_links(server.graph, "pubmed", UIDS, DBS)
    assert_exact(folder / "out", "pubmed", UIDS, truth)


def silent_loss(servers: Servers, folder: Path, case: Case) -> None:
    """Silent loss of links cannot be noticed: rows are true and unique, each UID has its row."""
    server, finished = harvest(servers, folder, case)
    assert finished.code == 0, finished.err
    found = [tuple(row.values())[:5] for row in rows(folder / "out", "links").to_pylist()]
    truth = expected_links(server.graph, "pubmed", UIDS, DBS)
    true = {tuple(row.values())[:5] for row in truth.to_pylist()}
    assert len(found) == len(set(found))
    assert set(found) < true
    assert sorted(rows(folder / "out", "uids")["from_uid"].to_pylist()) == list(UIDS)


def harvest(servers: Servers, folder: Path, case: Case) -> tuple[Emulator, Finished]:
    """Harvest with the faults; assert that they occurred."""
    server = servers.start(seed=2, faults=case.faults, fault_seconds=5.0, drip_seconds=0.1)
    finished = servers.harvester(
        "run", "--ids", write_uids(folder / "ids", UIDS), "--dbfrom=pubmed",
        f"--db={','.join(DBS)}", f"--retmode={case.retmode}", "--base-url", server.base_url,
        "--rate=50", "--batch-size=20", "--timeout=2", "-o", folder / "out",
        env={"NCBI_API_KEY": "k" * 36},  # faults of the limit state that of a key
    )  # fmt: skip
    assert {entry.fault for entry in server.log} - {""}, "no request met the fault"
    return server, finished


SCENARIOS = [Scenario(all_faults_repaired, case) for case in ALONE + IN_XML + MIXED]
SCENARIOS += [Scenario(silent_loss, case) for case in SILENT]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_a_fault_loses_no_link(
    scenario: Scenario, run_scenario: Callable[[Scenario], None]
) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
