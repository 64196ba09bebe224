"""Data behind the utilities: the graph, the History server, the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harvester.emulator.databases import DATABASES
from harvester.emulator.utilities.ids import accession

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harvester.emulator.graph.base import Graph
    from harvester.emulator.history import History
    from harvester.emulator.utilities.ids import Group


@dataclass(frozen=True, slots=True)
class Backend:
    """Data and settings that all utilities share.

    Attributes:
        graph: all links.
        history: the History server.
        history_limit: UIDs of a History set that ELink accepts; None is no limit.
        max_hits: hits of words in a database at most; None is no limit.
        llinkslib: whether ELink supports cmd=llinkslib, which NCBI removed in 2026.
        egquery: whether EGQuery exists, which NCBI ended in 2024.
        accessions: accessions that requests named, by database and UID, so that a record is
            always answered with the accession that it was requested by.
    """

    graph: Graph
    history: History
    history_limit: int | None = None
    max_hits: int | None = None
    llinkslib: bool = False
    egquery: bool = False
    accessions: dict[tuple[str, int], str] = field(default_factory=dict)

    def knows(self, db: str) -> bool:
        """Return whether a database exists under this (canonical) name."""
        return db in DATABASES or db in self.graph.databases()

    def remember(self, db: str, group: Group) -> None:
        """Keep the accessions of a request."""
        for uid, text in group.accessions.items():
            self.accessions[db, uid] = text

    def accession(self, db: str, uid: int) -> str:
        """Return the accession.version of a record of a sequence database."""
        return self.accessions.get((db, uid)) or accession(db, uid)

    def known(self, db: str, uids: Iterable[int]) -> list[int]:
        """Return the UIDs that are records of a database."""
        records = self.graph.record_set(db)
        return [uid for uid in uids if uid in records]


class UtilityError(Exception):
    """Request that is answered with an ERROR and status 200.

    Args:
        text: NCBI's words.
        in_linkset: whether ELink puts the ERROR into a LinkSet without ids.
    """

    def __init__(self, text: str, *, in_linkset: bool = False) -> None:
        super().__init__(text)
        self.in_linkset = in_linkset
