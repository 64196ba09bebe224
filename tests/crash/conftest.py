"""Emulators in this process, for commands that are killed in others; and a stage for scenes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from end_to_end.conftest import all_servers, servers
from end_to_end.scenes import staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from end_to_end.scenes import Scene
    from end_to_end.servers import Servers

__all__ = ["all_servers", "servers"]


@pytest.fixture(scope="session")
def see(
    request: pytest.FixtureRequest,
    all_servers: Servers,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Scene], None]]:
    """See a scene through; all of them are played side by side."""
    base, folder = tmp_path_factory.mktemp("scenes"), Path(__file__).parent
    with staged(request.session.items, folder, all_servers, base) as see:
        yield see
