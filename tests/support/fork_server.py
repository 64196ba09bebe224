"""The parent's side of `child.py`: give an order, hear how it ended."""

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

from support.child_process import Order
from support.harness import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SCRIPT = Path(__file__).with_name("child_process.py")


@dataclass(frozen=True)
class Moment:
    """A step to be sent signals at: to die, as a rule."""

    kind: str
    nth: int
    when: str
    signals: tuple[int, ...] = (signal.SIGKILL,)

    def __str__(self) -> str:
        names = " and ".join(signal.Signals(number).name for number in self.signals)
        return f"{names} {self.when} {self.kind} number {self.nth}"


@dataclass(frozen=True)
class Life:
    """How a run ended: exit code, negative for a signal; what it said; the steps it took."""

    code: int
    said: str
    steps: list[str]

    @property
    def killed(self) -> bool:
        """Whether it was ended without a say in it: at its moment, at its size, or in its time."""
        return self.code in (-signal.SIGKILL, -signal.SIGXFSZ, -signal.SIGALRM)


class Nursery:
    """A process that forks a run for each order; one at a time.

    Args:
        env: what is added to its environment.
    """

    def __init__(self, **env: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="nursery-")
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
        self._process.communicate(timeout=30)
        self._folder.cleanup()

    def raise_one(
        self,
        args: Sequence[object],
        moment: Moment | None = None,
        **more: Any,
    ) -> Life:
        """Run the command until its end, or until a moment.

        Args:
            args: the command line.
            moment: when to die; None lives on.
            more: fields of `Order`; with `root`, the steps are noted.
        """
        folder = Path(self._folder.name)
        said, steps = folder / "said", folder / "steps"
        steps.write_text("")
        if "root" in more:
            more["steps"] = str(steps)
        order = asdict(Order([str(arg) for arg in args], str(said), **more))
        order |= asdict(moment) if moment else {}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the nursery has died"
        return Life(int(answer), said.read_text(), steps.read_text().splitlines())


class Nurseries:
    """As many nurseries as are in use at a time."""

    def __init__(self) -> None:
        self._idle: list[Nursery] = []
        self._turn = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[Nursery]:
        """A nursery for the time of the block."""
        with self._turn:
            nursery = self._idle.pop() if self._idle else Nursery()
        try:
            yield nursery
        finally:
            with self._turn:
                self._idle.append(nursery)

    def close(self) -> None:
        """End all of them."""
        for nursery in self._idle:
            nursery.close()
