"""Faults of the History server, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.emulator.faults.draws import Draw
    from harvester.emulator.history import History


def _expire(history: History, draw: Draw) -> None:
    """Delete the WebEnv of this request, for this and all later requests."""
    history.expire(draw.request.get("WebEnv"))


HISTORY: dict[str, Callable[[History, Draw], None]] = {"expired-webenv": _expire}
