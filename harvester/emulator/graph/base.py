"""What a link graph answers: the families that leave a database, the links of many UIDs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

SELF_SCORE = 2147483647
"""The score of a record as its own neighbour (observed in recorded answers)."""


@dataclass(frozen=True, slots=True)
class Family:
    """The links that share one linkname.

    Attributes:
        dbfrom: database of the source UIDs, in its canonical name.
        dbto: database of the linked UIDs.
        linkname: `dbfrom_dbto[_kind]` as a rule, though not always.
        listed: whether EInfo names it; NCBI's EInfo leaves out some that ELink returns
            (`pubmed_pubmed_citedin` among them, observed in recorded answers of 2025).
    """

    dbfrom: str
    dbto: str
    linkname: str
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Links:
    """The links of several UIDs in one family, as columns.

    Attributes:
        counts: links of each UID asked for, in the order asked.
        to_uids: all linked UIDs, those of the first UID first, each list in NCBI's order.
        scores: one integer for each of `to_uids`, or None where NCBI gives no scores.
    """

    counts: NDArray[np.int64]
    to_uids: NDArray[np.int64]
    scores: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class LinkList:
    """The links of one UID in one family, in NCBI's order."""

    dbto: str
    linkname: str
    to_uids: NDArray[np.int64]
    scores: NDArray[np.int64] | None = None


class Graph(ABC):
    """All links between all records, computed or stored.

    Order is NCBI's (observed in recorded answers): ranked families by relevance with the record
    itself first, all others by descending UID.
    """

    @abstractmethod
    def databases(self) -> Collection[str]:
        """Databases that this graph has links from or to, beyond those NCBI lists."""

    @abstractmethod
    def families(self, dbfrom: str, dbs: Collection[str] | None = None) -> Sequence[Family]:
        """Families from `dbfrom` to `dbs` (None: to all), in the order of answers."""

    @abstractmethod
    def batch(self, family: Family, uids: NDArray[np.uint64]) -> Links:
        """The links of many UIDs in one family; a UID that is not known has none."""

    @abstractmethod
    def records(self, db: str) -> Sequence[int]:
        """The UIDs that a database holds, descending."""

    def links(self, dbfrom: str, uid: int, db: str | None = None) -> list[LinkList]:
        """The links of one UID, by family, without the families in which it has none.

        Args:
            dbfrom: database of `uid`.
            uid: the record.
            db: only links to this database; None is all of them.
        """
        found = []
        for family in self.families(dbfrom, None if db is None else {db}):
            links = self.batch(family, np.array([uid], np.uint64))
            if len(links.to_uids):
                found.append(LinkList(family.dbto, family.linkname, links.to_uids, links.scores))
        return found
