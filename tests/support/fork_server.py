"""Runs the command in forks of one warm process: starting a run takes milliseconds.

This is the parent's side of `child_process.py`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from support.child_process import RunRequest
from support.harness import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCRIPT = Path(__file__).with_name("child_process.py")


@dataclass(frozen=True)
class KillPoint:
    """A step of a run at which the run receives signals, by default SIGKILL."""

    kind: str
    nth: int
    when: str
    signals: tuple[int, ...] = (signal.SIGKILL,)

    def __str__(self) -> str:
        names = " and ".join(signal.Signals(number).name for number in self.signals)
        return f"{names} {self.when} {self.kind} number {self.nth}"


@dataclass(frozen=True)
class ForkedRun:
    """A run that has ended: exit code (negative: signal number), output, and steps taken."""

    code: int
    output: str
    steps: list[str]

    @property
    def killed(self) -> bool:
        """Whether a signal killed it: at its kill point, file size limit or time limit."""
        return self.code in (-signal.SIGKILL, -signal.SIGXFSZ, -signal.SIGALRM)


class ForkServer:
    """A process that forks once per run; one run at a time.

    Args:
        env: what is added to its environment.
    """

    def __init__(self, **env: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fork-server-")
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(**env),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=120)
        self._folder.cleanup()

    def run(
        self,
        args: Sequence[object],
        kill_point: KillPoint | None = None,
        **more: Any,
    ) -> ForkedRun:
        """Run the command to its end, or to a kill point.

        Args:
            args: the command line.
            kill_point: where to kill it; None lets it run to its end.
            more: fields of `RunRequest`; with `root`, the steps are recorded.
        """
        folder = Path(self._folder.name)
        said, steps = folder / "said", folder / "steps"
        steps.write_text("")
        if "root" in more:
            more["steps"] = str(steps)
        request = asdict(RunRequest([str(arg) for arg in args], str(said), **more))
        request |= asdict(kill_point) if kill_point else {}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the fork server has ended"
        return ForkedRun(int(answer), said.read_text(), steps.read_text().splitlines())


class ForkServers:
    """A pool of fork servers; grows to as many as are in use at once."""

    def __init__(self) -> None:
        self._idle: list[ForkServer] = []
        self._turn = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[ForkServer]:
        """Lend a fork server for the block."""
        with self._turn:
            fork_server = self._idle.pop() if self._idle else ForkServer()
        try:
            yield fork_server
        finally:
            with self._turn:
                self._idle.append(fork_server)

    def close(self) -> None:
        """End all of them."""
        for fork_server in self._idle:
            fork_server.close()
