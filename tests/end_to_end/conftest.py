"""Fixtures of the end-to-end tests: emulators in this process, and the stage for scenes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.scenes import staged
from support.servers import Servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.scenes import Scene


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests that measure rates first, while no scene runs."""
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
def see(
    request: pytest.FixtureRequest,
    all_servers: Servers,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Scene], None]]:
    """Wait for a scene; all scenes run side by side."""
    base, folder = tmp_path_factory.mktemp("scenes"), Path(__file__).parent
    with staged(request.session.items, folder, all_servers, base) as see:
        yield see
