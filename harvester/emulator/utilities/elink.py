"""ELink: parse a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.emulator.answers import errors
from harvester.emulator.databases import SEQUENCES, canonical
from harvester.emulator.utilities.backend import UtilityError
from harvester.emulator.utilities.ids import Group, group

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from harvester.emulator.graph.base import Family
    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend


@dataclass(frozen=True, slots=True)
class LinkQuery:
    """Parsed ELink request.

    Attributes:
        request: the request.
        dbfrom: canonical database of the ids.
        families: families that `db` and `linkname` select.
        groups: one for each LinkSet of the answer, in its order.
        accessions: whether `idtype=acc`.
    """

    request: UtilityRequest
    dbfrom: str
    families: Sequence[Family]
    groups: Sequence[Group]
    accessions: bool


def parse(request: UtilityRequest, backend: Backend, supported: Container[str]) -> LinkQuery:
    """Parse a request; unknown parameters are ignored, as at NCBI.

    Raises:
        UtilityError: the cmd or a database does not exist, or ids or a History set are missing.
    """
    cmd = request.get("cmd") or "neighbor"
    if cmd not in supported or (cmd == "llinkslib" and not backend.llinkslib):
        raise UtilityError(errors.UNSUPPORTED_CMD.format(cmd), in_linkset=True)
    named = request.get("dbfrom") or "pubmed"
    dbfrom = canonical(named)
    if not backend.knows(dbfrom):
        raise UtilityError(errors.BAD_DB.format(named))
    families = _families(request, backend, dbfrom)
    if request.get("WebEnv") and request.get("query_key"):
        groups = [_posted(request, backend)]
    else:
        groups = _groups(request, dbfrom)
        for one in groups:
            backend.remember(dbfrom, one)
    # An invalid id gets an empty LinkSet, or for `nucleotide` none at all (recorded in 2023).
    if named != dbfrom:
        groups = [group for group in groups if group.uids]
    return LinkQuery(request, dbfrom, families, groups, request.get("idtype") == "acc")


def _families(request: UtilityRequest, backend: Backend, dbfrom: str) -> list[Family]:
    linknames = set(request.listed("linkname"))
    named = {canonical(db) for db in request.listed("db")}
    checks_all = request.get("cmd") in {"acheck", "ncheck"}
    if not named:
        # The default is pubmed, except for a linkname and for acheck and ncheck.
        named = {"all"} if linknames or checks_all else {"pubmed"}
    if "all" in named:
        families = backend.graph.families(dbfrom)
    else:
        if not all(map(backend.knows, named)):
            raise UtilityError(errors.ADDRESS_TABLE)
        families = backend.graph.families(dbfrom, named)
    return [family for family in families if not linknames or family.linkname in linknames]


def _groups(request: UtilityRequest, dbfrom: str) -> list[Group]:
    """Return one group per `id` parameter: several are sorted as text, without repeats (2008)."""
    values = [value for value in request.every("id") if value.strip(", ")]
    if not values:
        raise UtilityError(errors.NO_IDS)
    if len(values) == 1:
        return [group(dbfrom, values[0].split(","))]
    groups = {}
    for value in values:
        one = group(dbfrom, value.split(","))
        groups[",".join(map(str, one.uids))] = one
    return [groups[text] for text in sorted(groups)]


def _posted(request: UtilityRequest, backend: Backend) -> Group:
    query_key = request.get("query_key")
    posted = backend.history.fetch(request.get("WebEnv"), query_key)
    if posted is None:
        raise UtilityError(errors.NO_QUERY.format(query_key), in_linkset=True)
    db, uids = posted
    too_many = backend.history_limit is not None and len(uids) > backend.history_limit
    if too_many or not len(uids):
        raise UtilityError(errors.NO_HISTORY)
    named = {uid: backend.accession(db, uid) for uid in uids} if db in SEQUENCES else {}
    return Group(tuple(uids), named)
