"""Records that ESummary and EFetch are requested for: by id, or a page of a History set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harvester.emulator.answers.errors import BAD_DB, NO_ID_PARAMETER, NO_IDS, NO_QUERY
from harvester.emulator.databases import SEQUENCES, canonical
from harvester.emulator.records.content import Record, records_of
from harvester.emulator.utilities.backend import UtilityError
from harvester.emulator.utilities.ids import group

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend

MOST = 10_000
"""Records per answer at most (NBK25499, retmax)."""


@dataclass(frozen=True, slots=True)
class Requested:
    """Records of a request.

    Attributes:
        db: canonical database.
        uids: UIDs in the order of the request, whether or not they exist.
        invalid: words that are no ids.
    """

    db: str
    uids: Sequence[int]
    invalid: Sequence[str] = ()

    def existing(self, backend: Backend) -> list[Record]:
        """Return the records that exist."""
        uids = backend.known(self.db, self.uids)
        accessions = None
        if self.db in SEQUENCES:
            accessions = [backend.accession(self.db, uid) for uid in uids]
        return records_of(self.db, uids, accessions)


def requested(request: UtilityRequest, backend: Backend) -> Requested:
    """Return the records of a request.

    Raises:
        UtilityError: the database, the set or all ids are missing.
    """
    named = request.get("db") or "pubmed"
    db, query_key = canonical(named), request.get("query_key")
    if not backend.knows(db):
        raise UtilityError(BAD_DB.format(named))
    if request.get("WebEnv") and query_key:
        posted = backend.history.fetch(request.get("WebEnv"), query_key)
        if posted is None:
            raise UtilityError(NO_QUERY.format(query_key))
        start, most = request.integer("retstart", 0), min(request.integer("retmax", MOST), MOST)
        return Requested(db, posted[1][start : start + most])
    if not request.has("id"):
        raise UtilityError(NO_ID_PARAMETER)
    listed = request.listed("id")
    if not listed:
        raise UtilityError(NO_IDS)
    found = group(db, listed)
    backend.remember(db, found)
    return Requested(db, found.uids, found.invalid)
