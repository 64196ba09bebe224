"""Time and report: CPU seconds of this process, as the median of several repeats."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def cpu_seconds(work: Callable[[], object], repeats: int = 9) -> float:
    """Median CPU seconds of one call, after one that is not counted."""
    work()
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def report(name: str, seconds: float, count: int, floor: float | None = None) -> None:
    """One line: nanoseconds an item, and the ratio to the floor measured in the same run."""
    ratio = f"  {seconds / floor:5.1f} x floor" if floor else ""
    print(f"{name:<44} {seconds / count * 1e9:8.0f} ns{ratio}")
