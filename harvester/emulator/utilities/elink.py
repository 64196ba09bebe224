"""ELink: what is asked, and which cmd answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.emulator.answers import errors
from harvester.emulator.databases import canonical
from harvester.emulator.utilities.ids import Group, group
from harvester.emulator.utilities.world import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.graph.base import Family
    from harvester.emulator.request import Asked
    from harvester.emulator.utilities.world import World


@dataclass(frozen=True, slots=True)
class Question:
    """An ELink request, understood.

    Attributes:
        asked: the request.
        dbfrom: canonical.
        families: those that `db` and `linkname` leave.
        groups: one for each LinkSet of the answer, in its order.
        accessions: whether `idtype=acc`.
    """

    asked: Asked
    dbfrom: str
    families: Sequence[Family]
    groups: Sequence[Group]
    accessions: bool


def question(asked: Asked, world: World) -> Question:
    """Understand a request; what is unknown in it is ignored, as NCBI does.

    Raises:
        Refusal: a database does not exist, there are no ids, or a History set is not there.
    """
    named = asked.get("dbfrom") or "pubmed"
    dbfrom = canonical(named)
    if not world.knows(dbfrom):
        raise Refusal(errors.BAD_DB.format(named))
    families = _families(asked, world, dbfrom)
    if asked.get("WebEnv") and asked.get("query_key"):
        groups = [_posted(asked, world)]
    else:
        groups = _groups(asked, dbfrom)
    # An id that is none: answered with an empty LinkSet, or for `nucleotide` not at all (2023).
    if named != dbfrom:
        groups = [group for group in groups if group.uids]
    return Question(asked, dbfrom, families, groups, asked.get("idtype") == "acc")


def _families(asked: Asked, world: World, dbfrom: str) -> list[Family]:
    linknames = set(asked.listed("linkname"))
    named = {canonical(db) for db in asked.listed("db")}
    checks_all = asked.get("cmd") in {"acheck", "ncheck"}
    if not named:
        # The default is pubmed, but a linkname speaks for itself; acheck looks everywhere.
        named = {"all"} if linknames or checks_all else {"pubmed"}
    if "all" in named:
        families = world.graph.families(dbfrom)
    else:
        if not all(map(world.knows, named)):
            raise Refusal(errors.ADDRESS_TABLE)
        families = world.graph.families(dbfrom, named)
    return [family for family in families if not linknames or family.linkname in linknames]


def _groups(asked: Asked, dbfrom: str) -> list[Group]:
    """One group an `id` parameter; several come sorted as text, equal ones once (recorded 2008)."""
    values = [value for value in asked.every("id") if value.strip(", ")]
    if not values:
        raise Refusal(errors.NO_IDS)
    if len(values) == 1:
        return [group(dbfrom, values[0].split(","))]
    groups = {}
    for value in values:
        one = group(dbfrom, value.split(","))
        groups[",".join(map(str, one.uids))] = one
    return [groups[text] for text in sorted(groups)]


def _posted(asked: Asked, world: World) -> Group:
    query_key = asked.get("query_key")
    posted = world.history.fetch(asked.get("WebEnv"), query_key)
    if posted is None:
        raise Refusal(errors.NO_QUERY.format(query_key))
    uids = posted[1]
    too_many = world.history_limit is not None and len(uids) > world.history_limit
    if too_many or not len(uids):
        raise Refusal(errors.NO_HISTORY)
    return Group(tuple(uids))
