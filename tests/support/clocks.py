"""The wall clock of a running command, set from a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.timing import NAP

if TYPE_CHECKING:
    from pathlib import Path


def set_clock(folder: Path, at: str) -> dict[str, object]:
    """Set the wall clock of the run in a folder.

    Args:
        folder: of the test; the clock is a file in it.
        at: the time, ISO with an offset. The clock goes on from there.

    Returns:
        The patches with which the command must be started to follow this clock.
    """
    aside = folder / "clock-aside"
    aside.write_text(at)
    aside.replace(folder / "clock")
    return {"clock": str(folder / "clock"), NAP: 0.2}
