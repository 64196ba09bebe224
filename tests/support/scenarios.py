"""Scenarios: tests that mostly wait for a command, run several at a time.

A scenario is a function with assertions; its arguments are servers and an empty folder. A module
lists its scenarios as the parameters of a test. The first test of a module starts all of them.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from support.servers import Servers

AT_ONCE = 6
"""Scenarios that run at a time; enough to keep two processors busy."""


class Scenario:
    """A test function with its arguments.

    Args:
        function: called with servers, a folder, and the arguments.
        arguments: shown in the test's id.
    """

    def __init__(self, function: Callable[..., Any], *arguments: object) -> None:
        self._function = function
        self._arguments = arguments

    def __str__(self) -> str:
        return "-".join([self._function.__name__, *map(str, self._arguments)])

    def __call__(self, servers: Servers, folder: Path) -> Any:
        """Call the function."""
        return self._function(servers, folder, *self._arguments)


@dataclass
class ScenarioPool:
    """Threads that run the scenarios of some modules.

    Args:
        servers: all emulators of the session.
        base: parent of the folders of the scenarios.
        modules: the selected scenarios, by module.
        pool: the threads.
    """

    servers: Servers
    base: Path
    modules: list[list[Scenario]]
    pool: ThreadPoolExecutor

    def __post_init__(self) -> None:
        self._started: dict[Scenario, Future[Any]] = {}

    def wait_for(self, scenario: Scenario) -> Any:
        """Wait until a scenario ends; return its result or raise its error."""
        if scenario not in self._started:
            for one in next(module for module in self.modules if scenario in module):
                self._started[one] = self.pool.submit(self._run, one, len(self._started))
        return self._started[scenario].result()

    def close(self) -> None:
        """Start no more scenarios."""
        for future in self._started.values():
            future.cancel()

    def _run(self, scenario: Scenario, number: int) -> Any:
        folder = self.base / str(number)
        folder.mkdir()
        with self.servers.group() as servers:
            return scenario(servers, folder)


@contextmanager
def scenario_runner(
    items: Iterable[Any], folder: Path, servers: Servers, base: Path
) -> Iterator[Callable[[Scenario], Any]]:
    """Run the scenarios of a folder's tests; yield a function that waits for one of them.

    Args:
        items: the tests that are to run.
        folder: folder of the tests.
        servers: all emulators of the session.
        base: parent of the folders of the scenarios.
    """
    modules = defaultdict[Path, list[Scenario]](list)
    for item in items:
        if folder in item.path.parents and "scenario" in item.fixturenames:
            modules[item.path].append(item.callspec.params["scenario"])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        scenarios = ScenarioPool(servers, base, list(modules.values()), pool)
        yield scenarios.wait_for
        scenarios.close()
