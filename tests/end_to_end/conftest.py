"""Emulators in this process, for commands that run in others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from .scenes import AT_ONCE, Scene, Stage, selected
from .servers import Servers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


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


@pytest.fixture(scope="module")
def see(
    request: pytest.FixtureRequest,
    all_servers: Servers,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Scene], None]]:
    """See a scene of the module through; all of them are played side by side."""
    scenes = selected(request.session.items, request.module)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        stage = Stage(all_servers, tmp_path_factory.mktemp("scenes"), scenes, pool)
        yield stage.see
        stage.close()
