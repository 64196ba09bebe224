"""Fixtures of the end-to-end tests: emulators in this process, and the runner of scenarios."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.scenarios import scenario_runner
from support.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.scenarios import Scenario


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that measure rates first, while no scenario runs."""
    items.sort(key=lambda item: item.path.name != "test_rate.py")


@pytest.fixture(scope="session")
def all_servers() -> Iterator[Servers]:
    """One thread for all emulators of the session."""
    with Servers() as servers:
        yield servers


@pytest.fixture
def servers(all_servers: Servers) -> Iterator[Servers]:
    """Emulators that end with the test."""
    with all_servers.group() as group:
        yield group


@pytest.fixture(scope="session")
def run_scenario(
    request: pytest.FixtureRequest,
    all_servers: Servers,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Scenario], None]]:
    """Return a function that waits for a scenario; several run at a time."""
    base, folder = tmp_path_factory.mktemp("scenarios"), Path(__file__).parent
    with scenario_runner(request.session.items, folder, all_servers, base) as wait_for:
        yield wait_for
