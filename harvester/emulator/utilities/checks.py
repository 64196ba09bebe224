"""The cmds that say whether there are links: acheck, ncheck, lcheck."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from harvester.emulator.answers.linksets import LinkInfo, LinkSet
from harvester.emulator.utilities.linkout import addresses

if TYPE_CHECKING:
    from harvester.emulator.utilities.elink import Question
    from harvester.emulator.utilities.ids import Group
    from harvester.emulator.utilities.world import World

LINKOUT = LinkInfo("LinkOut", "ExternalLink", "LinkOut", "LinkOut", "255")
"""How acheck marks LinkOut, after all databases (recorded in 2025)."""


def acheck(asked: Question, world: World) -> list[LinkSet]:
    """LinkSets with the kinds of links of each id, by database, LinkOut last."""
    uids = [uid for group in asked.groups for uid in group.uids]
    kinds: list[list[LinkInfo]] = [[] for _ in uids]
    for family in asked.families:
        tag = family.dbto.title()
        info = LinkInfo(family.dbto, family.linkname, f"{tag} Links", tag, "128")
        counts = world.graph.batch(family, np.array(uids, np.uint64)).counts
        for place in np.flatnonzero(counts).tolist():
            kinds[place].append(info)
    for uid, infos in zip(uids, kinds, strict=True):
        if addresses(asked.dbfrom, uid):
            infos.append(LINKOUT)
    linksets, rest = [], iter(kinds)
    for group in asked.groups:
        linksets.append(_linkset(asked, group))
        linksets[-1].infos = [(text, next(rest)) for text in _texts(asked, group)]
    return linksets


def ncheck(asked: Question, world: World) -> list[LinkSet]:
    """LinkSets that say of each id whether it has links within its own database."""
    uids = np.array([uid for group in asked.groups for uid in group.uids], np.uint64)
    related = np.zeros(len(uids), np.int64)
    for family in asked.families:
        if family.dbto == asked.dbfrom:
            related += world.graph.batch(family, uids).counts
    linksets, rest = [], iter(related.astype(bool).tolist())
    for group in asked.groups:
        linksets.append(_linkset(asked, group, "HasNeighbor"))
        linksets[-1].checks = _marked(_texts(asked, group), [next(rest) for _ in group.uids])
    return linksets


def lcheck(asked: Question, world: World) -> list[LinkSet]:  # noqa: ARG001 - all cmds are called alike
    """LinkSets that say of each id whether it has LinkOut addresses."""
    linksets = []
    for group in asked.groups:
        linked = [bool(addresses(asked.dbfrom, uid)) for uid in group.uids]
        linksets.append(_linkset(asked, group, "HasLinkOut"))
        linksets[-1].checks = _marked(_texts(asked, group), linked)
    return linksets


def _linkset(asked: Question, group: Group, check: str = "") -> LinkSet:
    """These cmds have no IdList; an id parameter without any id gets an empty LinkSet."""
    return LinkSet(asked.dbfrom, None if group.uids else [], check=check)


def _texts(asked: Question, group: Group) -> list[str]:
    return group.texts(asked.dbfrom, accessions=asked.accessions)


def _marked(ids: list[str], holds: list[bool]) -> list[tuple[str, str]]:
    return [(uid, "Y" if yes else "N") for uid, yes in zip(ids, holds, strict=True)]
