"""The parent's side of `child.py`: give an order, hear how it ended."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from end_to_end.harness import environment

from .child import Order

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = Path(__file__).with_name("child.py")

OFTEN: dict[str, object] = {
    "harvester.committer.COMMIT_SECONDS": 0.08,
    "harvester.committer.TICK_SECONDS": 0.04,
    "harvester.verdict.BACKOFF_SECONDS": 0.02,
}
"""Constants by which a short run commits as often as a long one."""

MERGED_BYTES = {"parquet": 12_000, "jsonl": 250_000}
"""By which it merges its small parts to several larger ones, as a long run does."""


@dataclass(frozen=True)
class Moment:
    """A step to die at."""

    kind: str
    nth: int
    when: str

    def __str__(self) -> str:
        return f"{self.when} {self.kind} number {self.nth}"


@dataclass(frozen=True)
class Life:
    """How a run ended: exit code, negative for a signal; what it said; the steps it took."""

    code: int
    said: str
    steps: list[str]

    @property
    def killed(self) -> bool:
        """Whether it came to its moment."""
        return self.code == -9


class Nursery:
    """A process that forks a run for each order; one at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process = subprocess.Popen(
            [sys.executable, str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment(),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)

    def raise_one(
        self, args: Sequence[object], moment: Moment | None = None, form: str = "parquet"
    ) -> Life:
        """Run the command until its end, or until a moment.

        Args:
            args: the command line.
            moment: when to die; None lives on.
            form: of the output.
        """
        patches = OFTEN | {"harvester.ledger.MERGED_BYTES": MERGED_BYTES[form]}
        said, steps = self._folder / "said", self._folder / "steps"
        order = Order([str(arg) for arg in args], str(said), str(steps), patches)
        chosen = asdict(order) | (asdict(moment) if moment else {})
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(chosen) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the nursery has died"
        return Life(int(answer), said.read_text(), steps.read_text().splitlines())
