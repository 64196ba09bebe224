"""What the utilities answer from: the graph, the History server, the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.emulator.databases import DATABASES

if TYPE_CHECKING:
    from harvester.emulator.graph.base import Graph
    from harvester.emulator.history import History


@dataclass(frozen=True, slots=True)
class World:
    """Everything behind the utilities.

    Attributes:
        graph: all links.
        history: the History server.
        history_limit: UIDs of a History set that ELink takes; None takes all.
    """

    graph: Graph
    history: History
    history_limit: int | None = None

    def knows(self, db: str) -> bool:
        """Whether a database exists, under this (canonical) name."""
        return db in DATABASES or db in self.graph.databases()


class Refusal(Exception):
    """A request that is answered by an ERROR in an answer of status 200."""
