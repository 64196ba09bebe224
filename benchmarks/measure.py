"""Time and report: CPU seconds of this process, as the median of several repeats."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a table.

    Attributes:
        what: was measured.
        value: the figure.
        unit: of it, for example `ns a link`.
        floor: the least it can be, in the same unit, measured in the same run.
    """

    what: str
    value: float
    unit: str
    floor: float | None = None

    def __str__(self) -> str:
        ratio = f"  {self.value / self.floor:5.2f} x floor" if self.floor else ""
        return (
            f"{self.what:<56} {self.value:14,.{0 if self.value >= 1000 else 1}f} {self.unit}{ratio}"
        )


def cpu_seconds(work: Callable[[], object], repeats: int = 9) -> float:
    """Median CPU seconds of one call, after one that is not counted."""
    work()
    taken = []
    for _ in range(repeats):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def nanoseconds(work: Callable[[], object], count: int, repeats: int = 9) -> float:
    """The same, an item."""
    return cpu_seconds(work, repeats) / count * 1e9
