"""Scenes: tests that mostly wait for a command, run several at a time.

A scene is a function that gets servers and an empty folder, and asserts. A module lists its scenes
as the parameters of a test. The first test of a module that waits for a scene starts all of them.
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
"""Scenes at a time; enough to keep two processors busy."""


class Scene:
    """A function to be played, with its arguments.

    Args:
        play: called with servers, a folder, and the arguments.
        arguments: named in the test's id.
    """

    def __init__(self, play: Callable[..., Any], *arguments: object) -> None:
        self._play = play
        self._arguments = arguments

    def __str__(self) -> str:
        return "-".join([self._play.__name__, *map(str, self._arguments)])

    def __call__(self, servers: Servers, folder: Path) -> Any:
        """Play it."""
        return self._play(servers, folder, *self._arguments)


@dataclass
class Stage:
    """Where scenes are played.

    Args:
        servers: all emulators of the session.
        base: a folder for the folders of the scenes.
        modules: the scenes that were selected, by module.
        pool: threads to play in.
    """

    servers: Servers
    base: Path
    modules: list[list[Scene]]
    pool: ThreadPoolExecutor

    def __post_init__(self) -> None:
        self._played: dict[Scene, Future[Any]] = {}

    def see(self, scene: Scene) -> Any:
        """Wait for the end of a scene; raise what it raised."""
        if scene not in self._played:
            for one in next(module for module in self.modules if scene in module):
                self._played[one] = self.pool.submit(self._play, one, len(self._played))
        return self._played[scene].result()

    def close(self) -> None:
        """Play nothing more."""
        for future in self._played.values():
            future.cancel()

    def _play(self, scene: Scene, number: int) -> Any:
        folder = self.base / str(number)
        folder.mkdir()
        with self.servers.group() as servers:
            return scene(servers, folder)


@contextmanager
def staged(
    items: Iterable[Any], folder: Path, servers: Servers, base: Path
) -> Iterator[Callable[[Scene], Any]]:
    """Run the scenes of a folder's tests; yield a function that waits for one of them.

    Args:
        items: the tests that are to run.
        folder: of the tests.
        servers: all emulators of the session.
        base: a folder for the folders of the scenes.
    """
    modules = defaultdict[Path, list[Scene]](list)
    for item in items:
        if folder in item.path.parents and "scene" in item.fixturenames:
            modules[item.path].append(item.callspec.params["scene"])
    with ThreadPoolExecutor(AT_ONCE) as pool:
        stage = Stage(servers, base, list(modules.values()), pool)
        yield stage.see
        stage.close()
