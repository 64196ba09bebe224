"""Measure and report CPU seconds: of this process, as the median of repeats, or of another."""

from __future__ import annotations

import math
import os
import signal
import statistics
import subprocess
import time
from dataclasses import dataclass
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a table.

    Attributes:
        what: what was measured.
        value: the figure; NaN where there is none, for the reason in the note.
        unit: of it, for example `ns per link`.
        floor: lower bound in the same unit, measured in the same run.
        note: a remark.
    """

    what: str
    value: float
    unit: str
    floor: float | None = None
    note: str = ""

    def __str__(self) -> str:
        if not self.figure:
            return f"{self.what:<56} {'-':>14} {self.note}"
        ratio = f"  {self.value / self.floor:5.2f} x floor" if self.floor else ""
        ratio += f"  ({self.note})" if self.note else ""
        return f"{self.what:<56} {self.figure:>14} {self.unit}{ratio}"

    @property
    def figure(self) -> str:
        """The value as text; empty if there is none."""
        if math.isnan(self.value):
            return ""
        return f"{self.value:,.{0 if self.value >= 1000 else 1 if self.value >= 10 else 2}f}"


def cpu_seconds(work: Callable[[], object], repeats: int = 9) -> float:
    """Return the median CPU seconds of one call, after a warm-up call."""
    work()
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def nanoseconds(work: Callable[[], object], count: int, repeats: int = 9) -> float:
    """Return the median CPU nanoseconds per item."""
    return cpu_seconds(work, repeats) / count * 1e9


def cpu_of(
    command: Sequence[str], folder: Path, env: Mapping[str, str], limit: float
) -> tuple[int, float]:
    """Return exit code and CPU seconds, user and system, of a process and its awaited children.

    Args:
        command: of the process.
        folder: working folder; gets the output as `stdout` and `stderr`.
        env: of the process.
        limit: seconds after which it is killed, with its children.
    """
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=folder,
            env=env,
            start_new_session=True,
        )
    timer = Timer(limit, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    try:
        _, status, usage = os.wait4(process.pid, 0)
    finally:
        timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage.ru_utime + usage.ru_stime
