"""Emulators in this process, for commands that are killed in others; a stage; a death toll."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from end_to_end.conftest import all_servers, servers
from support.scenes import staged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.scenes import Scene
    from support.servers import Servers

__all__ = ["all_servers", "servers"]

Deaths: TypeAlias = "Counter[str]"

_DEATHS = pytest.StashKey[Deaths]()


@pytest.fixture(scope="session")
def deaths(pytestconfig: pytest.Config) -> Deaths:
    """How many runs were killed, and how, each of which was brought to its end and was exact."""
    return pytestconfig.stash.setdefault(_DEATHS, Counter())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say it."""
    if toll := config.stash.get(_DEATHS, None):
        how = ", ".join(f"{count:,} {how}" for how, count in toll.items())
        terminalreporter.write_line(f"{toll.total():,} runs were killed and recovered: {how}")


@pytest.fixture(scope="session")
def see(
    request: pytest.FixtureRequest,
    all_servers: Servers,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Scene], Any]]:
    """See a scene through; all of them are played side by side."""
    base, folder = tmp_path_factory.mktemp("scenes"), Path(__file__).parent
    with staged(request.session.items, folder, all_servers, base) as see:
        yield see
