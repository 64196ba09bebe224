"""Link graph generated from a seed: the links of any UID, without storage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harvester.emulator.graph.base import SELF_SCORE, Family, Graph, Links
from harvester.emulator.graph.mixing import GOLDEN, key_of, mix_array
from harvester.emulator.graph.shapes import DEFAULT_SIZE, SIZES, Shape, shapes

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

_SLOTS = 512
"""Slots of the UIDs: ranked lists draw each link from its own slot, so that none repeats."""

_TOP_SCORE = 30_000_000
"""Approximate best score of a neighbour in recorded answers; scores descend from it."""


class SeededGraph(Graph):
    """Links computed from (seed, linkname, UID); every UID from 1 to 2**63 - 1 is a record.

    Args:
        seed: seed of the graph.
        links: exact number of links (1 to 512) of every linked record, in every family in which a
            record can have several, for measurements; None varies them as at NCBI.
    """

    def __init__(self, seed: int = 0, links: int | None = None) -> None:
        if links is not None and not 1 <= links <= _SLOTS:
            raise ValueError(f"Links per record must be 1 to {_SLOTS}, not {links}.")
        self.seed = seed
        self._links = links
        self._shapes: dict[Family, Shape] = {}

    def databases(self) -> Collection[str]:
        """Return none besides NCBI's own; any pair of names has links."""
        return ()

    def families(self, dbfrom: str, dbs: Collection[str] | None = None) -> Sequence[Family]:
        """Return the families from `dbfrom` to `dbs`; see `Graph.families`."""
        wanted: list[str | None] = [None] if dbs is None else [*sorted(dbs)]
        found = []
        for db in wanted:
            for shape in shapes(dbfrom, db):
                family = Family(dbfrom, shape.dbto, shape.linkname, shape.listed)
                self._shapes[family] = shape
                found.append(family)
        return found

    def records(self, db: str) -> Sequence[int]:
        """Return all UIDs from the database's largest down to 1."""
        return range(SIZES.get(db, DEFAULT_SIZE), 0, -1)

    def record_set(self, db: str) -> range:
        """Return all UIDs of a database."""
        return range(1, SIZES.get(db, DEFAULT_SIZE) + 1)

    def batch(self, family: Family, uids: NDArray[np.uint64]) -> Links:
        """Return the links of many UIDs in one family; UID 0 has none."""
        shape = self._shapes.get(family) or self._shape(family)
        linkname = shape.like or family.linkname
        start = mix_array(uids + np.uint64(key_of(self.seed, family.dbfrom, linkname)))
        counts = self._counts(shape, uids, start)
        places = np.arange(counts.max(initial=0), dtype=np.uint64)
        draws = mix_array(start[:, None] + (places + np.uint64(1)) * np.uint64(GOLDEN))
        spread = _ranked if shape.ranked else _descending
        targets = spread(draws, counts, SIZES.get(family.dbto, DEFAULT_SIZE), start)
        same = family.dbfrom == family.dbto
        if same:
            # A record is its own first neighbour, and no later one.
            targets += targets == uids[:, None]
        if shape.ranked and same and len(places):
            targets[:, 0] = uids
        kept = places < counts[:, None].astype(np.uint64)
        scores = _scores(shape, draws, uids)[kept] if same else None
        return Links(counts, targets[kept].astype(np.int64), scores)

    def _shape(self, family: Family) -> Shape:
        self.families(family.dbfrom, {family.dbto})
        return self._shapes[family]

    def _counts(
        self, shape: Shape, uids: NDArray[np.uint64], start: NDArray[np.uint64]
    ) -> NDArray[np.int64]:
        """Return the number of links per UID."""
        least, most = shape.least, shape.most
        if self._links and most > 1:
            least = most = self._links
        counts = least + (mix_array(start) % np.uint64(most - least + 1)).astype(np.int64)
        # The upper 53 bits as a fraction of 1: exact in a float, so equal on all machines.
        linked = (start >> np.uint64(11)) < np.uint64(int(shape.share * (1 << 53)))
        return np.where(linked & (uids > 0) & (uids < 2**63), counts, 0)


def _descending(
    draws: NDArray[np.uint64],
    counts: NDArray[np.int64],
    size: int,
    start: NDArray[np.uint64],  # noqa: ARG001 - both spreads have one signature
) -> NDArray[np.uint64]:
    """Draw n links of a record, one in each n-th of the UIDs, the highest first."""
    n = np.maximum(counts, 1)[:, None]
    width = (size // n).astype(np.uint64)
    slot = np.maximum(n - 1 - np.arange(draws.shape[1]), 0).astype(np.uint64)
    return slot * width + np.uint64(1) + draws % (width - np.uint64(1))


def _ranked(
    draws: NDArray[np.uint64],
    counts: NDArray[np.int64],  # noqa: ARG001
    size: int,
    start: NDArray[np.uint64],
) -> NDArray[np.uint64]:
    """Draw links from different slots: an odd stride visits every slot once."""
    stride = (start >> np.uint64(20)) | np.uint64(1)
    slot = (np.arange(draws.shape[1], dtype=np.uint64) * stride[:, None] + start[:, None]) % (
        np.uint64(_SLOTS)
    )
    width = np.uint64(size // _SLOTS)
    return slot * width + np.uint64(1) + draws % (width - np.uint64(1))


def _scores(shape: Shape, draws: NDArray[np.uint64], uids: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return the scores of links within one database, one row per UID.

    Scores of ranked families descend from the record's own. In other families NCBI gives the
    source UID as score (`pubmed_pubmed_citedin` in a sample answer of 2015).
    """
    if not shape.ranked:
        return np.broadcast_to(uids.astype(np.int64)[:, None], draws.shape)
    step = _TOP_SCORE // (_SLOTS + 1)
    falling = _TOP_SCORE - step * np.arange(draws.shape[1])
    scores: NDArray[np.int64] = falling + (draws % np.uint64(step)).astype(np.int64)
    if draws.shape[1]:
        scores[:, 0] = SELF_SCORE
    return scores
