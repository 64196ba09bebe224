"""Faults in the LinkSets of an ELink answer, by name: well-formed but wrong answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harvester.emulator.answers import errors
from harvester.emulator.answers.linksets import LinkSet, LinkSetDb

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.emulator.faults.draws import Draw

BLOCK = 100
"""Links per block; lists lose whole blocks (recorded answers of 2023)."""


def _affected(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
    """Return the LinkSets of the UIDs of the fault; without UIDs at least one at random."""
    if draw.spec.uids:
        return [one for one in linksets if draw.spec.uids.intersection(one.uids())]
    return draw.random.sample(linksets, draw.random.randint(1, len(linksets))) if linksets else []


def _short(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
    gone = {id(one) for one in _affected(linksets, draw)}
    return [one for one in linksets if id(one) not in gone]


def _doubled(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
    return linksets + _affected(linksets, draw)


def _reordered(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
    return draw.random.sample(linksets, len(linksets))


def _alien(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
    """Add LinkSets for UIDs that were not requested."""
    for _ in range(draw.random.randint(1, 3)):
        unrequested = str(draw.random.randint(10**12, 10**13))
        place = draw.random.randint(0, len(linksets))
        linksets.insert(place, _invented(draw, [unrequested]))
    return linksets


def _no_ids(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
    """Add a LinkSet without DbFrom and IdList (biopython#4349, 2024)."""
    added = _invented(draw, None)
    added.dbfrom = None
    linksets.insert(draw.random.randint(0, len(linksets)), added)
    return linksets


def _id_0(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
    """Replace ids by 0 and remove the links (recorded in 2013 to 2015)."""
    for one in _affected(linksets, draw):
        one.ids, one.dbs, one.histories, one.webenv = ["0"], [], [], ""
        one.checks, one.infos, one.urls = [], [], []
    return linksets


def _error_in_linkset(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
    for one in _affected(linksets, draw):
        one.dbs, one.errors = [], [errors.BLOB_ID]
    return linksets


def _error_in_linksetdb(text: str) -> Callable[[list[LinkSet], Draw], list[LinkSet]]:
    """Put an ERROR in one LinkSetDb of each affected LinkSet; the others stay."""

    def damage(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
        for one in _affected([one for one in linksets if one.dbs], draw):
            db = draw.random.choice(one.dbs)
            db.links, db.scores, db.info, db.error = None, None, "", text
        return linksets

    return damage


def _lost_leading(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
    """Remove leading blocks of 100 links; empty lists are left out."""
    for one in _affected([one for one in linksets if one.dbs], draw):
        for db in one.dbs:
            size = _size(db)
            lost = BLOCK * draw.random.randint(1, -(-size // BLOCK)) if size else 0
            _keep(db, np.arange(size) >= lost)
        _drop_emptied(one)
    return linksets


def _lost_blocks(linksets: list[LinkSet], draw: Draw) -> list[LinkSet]:
    """Remove each block of 100 links with the fault's probability, in every answer."""
    for one in linksets:
        for db in one.dbs:
            size = _size(db)
            blocks = -(-size // BLOCK)
            kept = [draw.random.random() >= draw.spec.probability for _ in range(blocks)]
            if not all(kept):
                _keep(db, np.repeat(np.array(kept, bool), BLOCK)[:size])
        _drop_emptied(one)
    return linksets


def _size(db: LinkSetDb) -> int:
    return 0 if db.links is None else len(db.links)


def _keep(db: LinkSetDb, kept: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> None:
    if db.links is None:
        return
    if isinstance(db.links, list):
        db.links = [uid for uid, stays in zip(db.links, kept.tolist(), strict=True) if stays]
    else:
        db.links = db.links[kept]
    db.scores = None if db.scores is None else db.scores[kept]


def _drop_emptied(linkset: LinkSet) -> None:
    linkset.dbs = [db for db in linkset.dbs if db.links is None or len(db.links)]


def _invented(draw: Draw, ids: list[str] | None) -> LinkSet:
    """Return a LinkSet with links that are in no graph."""
    dbfrom = draw.request.get("dbfrom") or "pubmed"
    dbto = (draw.request.listed("db") or ["pubmed"])[0].replace("all", "pubmed")
    links = np.array(sorted(draw.random.sample(range(10**12, 10**13), 5), reverse=True))
    linkname = (draw.request.listed("linkname") or [f"{dbfrom}_{dbto}"])[0]
    return LinkSet(dbfrom, ids, [LinkSetDb(dbto, linkname, links)])


LINKSETS: dict[str, Callable[[list[LinkSet], Draw], list[LinkSet]]] = {
    "short": _short,
    "doubled": _doubled,
    "reordered": _reordered,
    "alien": _alien,
    "no-ids": _no_ids,
    "id-0": _id_0,
    "error-in-linkset": _error_in_linkset,
    "error-in-linksetdb": _error_in_linksetdb(errors.EXLINK_SERVER),
    "exception-in-linksetdb": _error_in_linksetdb(errors.UNKNOWN_ID),
    "lost-leading": _lost_leading,
    "lost-blocks": _lost_blocks,
}
"""Function by name; it returns the LinkSets to send and may change its argument."""
