"""Fixtures of the crash tests: emulators, the runner of scenarios, and a count of killed runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from end_to_end.conftest import all_servers, servers
from support.scenarios import scenario_runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.scenarios import Scenario
    from support.servers import Servers

__all__ = ["all_servers", "servers"]

KillCount: TypeAlias = "Counter[str]"

_KILL_COUNT = pytest.StashKey[KillCount]()


@pytest.fixture(scope="session")
def kill_count(pytestconfig: pytest.Config) -> KillCount:
    """Count killed runs by kind. Each of them was resumed and ended with exact results."""
    return pytestconfig.stash.setdefault(_KILL_COUNT, Counter())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the count of killed runs."""
    if count := config.stash.get(_KILL_COUNT, None):
        how = ", ".join(f"{count:,} {how}" for how, count in count.items())
        terminalreporter.write_line(f"{count.total():,} runs were killed and recovered: {how}")


@pytest.fixture(scope="session")
def run_scenario(
    request: pytest.FixtureRequest,
    all_servers: Servers,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Scenario], Any]]:
    """Return a function that waits for a scenario; several run at a time."""
    base, folder = tmp_path_factory.mktemp("scenarios"), Path(__file__).parent
    with scenario_runner(request.session.items, folder, all_servers, base) as wait_for:
        yield wait_for
