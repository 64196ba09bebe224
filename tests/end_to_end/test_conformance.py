"""The comparison of clients, in a real run: the verdict on a LinkSet that is left out."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from support.scenarios import Scenario

from benchmarks.conformance.client_runs import ComparedClient
from benchmarks.conformance.rows import CONTROL, Row
from benchmarks.conformance.scoring import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers

SHORT = Row("LinkSets left out", ("short",))


def judged(servers: Servers, folder: Path, name: str, verdict: Verdict) -> None:
    """Without the fault a client is exact; with it, harvester retries and Biopython loses links."""
    client = ComparedClient(name, sys.executable)
    control = client.run(CONTROL)
    assert control.score.verdict is Verdict.EXACT, control
    short = client.run(SHORT, control.lines)
    assert short.met
    assert short.score.verdict is verdict, short
    assert not short.leaked


SCENARIOS = [
    Scenario(judged, "harvester", Verdict.EXACT),
    Scenario(judged, "biopython", Verdict.SILENT),
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_conformance(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    """Run one scenario; its docstring says what is proved."""
    run_scenario(scenario)
