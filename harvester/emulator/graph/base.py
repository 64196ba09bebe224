"""Interface of a link graph: families of a database, links of UIDs, records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Sequence

    from numpy.typing import NDArray

SELF_SCORE = 2147483647
"""Score of a record as its own neighbour (recorded answers)."""


@dataclass(frozen=True, slots=True)
class Family:
    """Links with one linkname.

    Attributes:
        dbfrom: canonical name of the database of the source UIDs.
        dbto: database of the linked UIDs.
        linkname: `dbfrom_dbto[_kind]` as a rule, though not always.
        listed: whether EInfo lists it; NCBI's EInfo omits some that ELink returns, such as
            `pubmed_pubmed_citedin` (recorded answers of 2025).
    """

    dbfrom: str
    dbto: str
    linkname: str
    listed: bool = True


@dataclass(frozen=True, slots=True)
class Links:
    """Links of several UIDs in one family, as columns.

    Attributes:
        counts: number of links per requested UID, in the order requested.
        to_uids: linked UIDs, those of the first UID first, each list in NCBI's order.
        scores: one integer for each of `to_uids`; None if NCBI gives no scores.
    """

    counts: NDArray[np.int64]
    to_uids: NDArray[np.int64]
    scores: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class LinkList:
    """Links of one UID in one family, in NCBI's order."""

    dbto: str
    linkname: str
    to_uids: NDArray[np.int64]
    scores: NDArray[np.int64] | None = None


class Graph(ABC):
    """All links between all records, generated or stored.

    The order is NCBI's (recorded answers): ranked families by relevance with the record itself
    first, all others by descending UID.
    """

    @abstractmethod
    def databases(self) -> Collection[str]:
        """Return databases of this graph besides those NCBI lists."""

    @abstractmethod
    def families(self, dbfrom: str, dbs: Collection[str] | None = None) -> Sequence[Family]:
        """Return the families from `dbfrom` to `dbs` (None: to all), in the order of answers."""

    @abstractmethod
    def batch(self, family: Family, uids: NDArray[np.uint64]) -> Links:
        """Return the links of many UIDs in one family; an unknown UID has none."""

    @abstractmethod
    def records(self, db: str) -> Sequence[int]:
        """Return the UIDs of a database, descending."""

    def record_set(self, db: str) -> Container[int]:
        """Return the UIDs of a database for fast tests of membership."""
        return self.records(db)

    def links(self, dbfrom: str, uid: int, db: str | None = None) -> list[LinkList]:
        """Return the links of one UID by family, without families in which it has none.

        Args:
            dbfrom: database of `uid`.
            uid: the record.
            db: only links to this database; None is all.
        """
        found = []
        for family in self.families(dbfrom, None if db is None else {db}):
            links = self.batch(family, np.array([uid], np.uint64))
            if len(links.to_uids):
                found.append(LinkList(family.dbto, family.linkname, links.to_uids, links.scores))
        return found
