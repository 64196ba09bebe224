"""`harvester demo` runs, kills, resumes and checks a harvest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.harness import harvester, rows
from support.manifests import assert_exact_manifest
from support.scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.servers import Servers


def demo(servers: Servers, folder: Path) -> None:
    """The run is killed before its end; the resumed run completes the harvest."""
    del servers  # the command starts its own
    finished = harvester("demo", "-o", str(folder / "out"), cwd=folder, timeout=180)
    assert finished.code == 0, finished.output
    resumed = finished.err.partition("UIDs to request")[2].partition("UIDs to request")[2]
    assert "are done" in resumed, finished.output
    uids = rows(folder / "out", "uids").num_rows
    assert "Checked: " in finished.out
    assert_exact_manifest(folder / "out")
    assert f"`harvester verify {folder / 'out'}` checks them" in finished.out
    assert f"and {uids:,} UIDs, each once, none missing" in finished.out
    *figures, path = finished.out.splitlines()[-5:]
    assert path == str(folder / "out" / "report.html")
    assert (folder / "out" / "report.html").is_file()
    assert figures[0].startswith(f"UIDs with an outcome: {uids:,} ")
    assert [line.partition(":")[0] for line in figures[1:]] == ["Links", "Requests", "Run time"]


@pytest.mark.parametrize("scenario", [Scenario(demo)], ids=str)
def test_demo(scenario: Scenario, run_scenario: Callable[[Scenario], None]) -> None:
    run_scenario(scenario)
