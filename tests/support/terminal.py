"""A real terminal for tests: a window of tmux with a command in it, whose text can be read."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.harness import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DEADLINE = 60.0
"""Seconds until a text that does not come fails the test; generous for a busy machine."""


class Terminal:
    """A window of tmux.

    Args:
        socket: socket of the tmux server of this terminal alone.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def tmux(self, *words: object) -> str:
        """Run a command of tmux and return its output."""
        called = ["tmux", "-S", str(self._socket), "-f", "/dev/null", *map(str, words)]
        done = subprocess.run(called, capture_output=True, text=True, check=True, timeout=120)
        return done.stdout

    def type(self, text: str) -> None:
        """Type a text as a user would; `\\t` is the Tab key."""
        self.tmux("send-keys", "-l", text)

    def key(self, *names: str) -> None:
        """Press keys by name, such as `Enter`, `Tab` and `C-c`."""
        self.tmux("send-keys", *names)

    def resize(self, columns: int, rows: int = 30) -> None:
        """Change the size of the window."""
        self.tmux("resize-window", "-x", columns, "-y", rows)

    def screen(self) -> str:
        """Return the text of the window, with what has scrolled away."""
        return self.tmux("capture-pane", "-p", "-J", "-S", "-500")

    def lines(self) -> list[str]:
        """Return the visible lines of the window, as they are wrapped."""
        return self.tmux("capture-pane", "-p").splitlines()

    def wait_for(self, wanted: str | Callable[[str], bool]) -> str:
        """Return the text of the window once it holds a text, or fulfils a condition."""
        until = time.monotonic() + DEADLINE
        while time.monotonic() < until:
            screen = self.screen()
            if wanted in screen if isinstance(wanted, str) else wanted(screen):
                return screen
            time.sleep(0.05)
        raise AssertionError(f"{wanted!r} does not appear:\n{self.screen()}")


@contextmanager
def terminal(
    *command: str, columns: int = 100, rows: int = 30, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    """Run a command in a terminal of its own; `harvester` is on its path.

    Args:
        command: the command.
        columns: width of the window.
        rows: height of the window.
        env: more environment.
    """
    with tempfile.TemporaryDirectory(prefix="tmux") as name:
        folder = Path(name)
        script = folder / "harvester"
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m harvester "$@"\n')
        script.chmod(0o755)
        given = environment(**(env or {}))
        given["PATH"] = f"{folder}:{given['PATH']}"
        window = Terminal(folder / "socket")
        called = ["env", "-i", *(f"{key}={value}" for key, value in given.items()), *command]
        subprocess.run(
            ["tmux", "-S", str(folder / "socket"), "-f", "/dev/null", "new-session", "-d",
             "-x", str(columns), "-y", str(rows), *called],
            check=True, timeout=120,
        )  # fmt: skip
        try:
            window.tmux("set-option", "-g", "remain-on-exit", "on")
            yield window
        finally:
            subprocess.run(
                ["tmux", "-S", str(folder / "socket"), "kill-server"], check=False, timeout=120
            )


def has(*programs: str) -> bool:
    """Return whether programs are installed."""
    return all(map(shutil.which, programs))
