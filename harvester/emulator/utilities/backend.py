"""Data behind the utilities: the graph, the History server, the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.emulator.databases import DATABASES

if TYPE_CHECKING:
    from harvester.emulator.graph.base import Graph
    from harvester.emulator.history import History


@dataclass(frozen=True, slots=True)
class Backend:
    """Data and settings that all utilities share.

    Attributes:
        graph: all links.
        history: the History server.
        history_limit: UIDs of a History set that ELink accepts; None is no limit.
    """

    graph: Graph
    history: History
    history_limit: int | None = None

    def knows(self, db: str) -> bool:
        """Return whether a database exists under this (canonical) name."""
        return db in DATABASES or db in self.graph.databases()


class UtilityError(Exception):
    """Request that is answered with an ERROR and status 200."""
