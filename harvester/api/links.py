"""ELink for a list of UIDs in memory: the engine of a harvest; nothing is written."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.api.by_uid import possible_linknames, reasons, targets_by_uid
from harvester.errors import BadInput
from harvester.eutils.elink.commands import Elink, schema_of
from harvester.job.cmds import CMDS
from harvester.model import uids
from harvester.model.distinct_targets import Targets
from harvester.model.identifiers import identifiers_of
from harvester.model.outcomes import Outcome
from harvester.model.schemas import UIDS, unanswered_rows, with_ids
from harvester.runs.drive import drive, make_engine
from harvester.store.commit import build_commit
from harvester.store.frames import Frames

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from harvester.api.arguments import Uid
    from harvester.client.client import Client
    from harvester.job.link import Link
    from harvester.job.model import Job
    from harvester.model.delivery import Delivery
    from harvester.model.identifiers import Identifiers, Listed
    from harvester.store.commit import Commit

MOST = 20_000
"""Maximum UIDs per call. More are a large job, which keeps NCBI's hours and can be resumed."""

_PATIENCE_SECONDS = 8.0
"""Seconds to wait for a server that does not answer, before an error."""


class Linked(Frames):
    """ELink's answers for some UIDs.

    Attributes:
        warnings: a sentence for each part of the request that NCBI may have ignored.
    """

    __slots__ = ("_links", "_possible", "_uids", "warnings")

    def __init__(
        self,
        links: pa.Table,
        uids: pa.Table,
        warnings: Sequence[str] = (),
        possible: Collection[str] = (),
    ) -> None:
        self._links = links
        self._uids = uids
        self._possible = possible
        self.warnings = tuple(warnings)

    def __repr__(self) -> str:
        """Show counts: the tables have many rows."""
        outcomes = Counter(self._uids["outcome"].to_pylist())
        counts = [f"{outcomes[one.value]:,} {one.value}" for one in Outcome if outcomes[one.value]]
        counts += [f"{len(self.warnings)} warnings"] if self.warnings else []
        return f"Linked({', '.join([f'{self._links.num_rows:,} links', *counts])})"

    def links(self) -> pa.Table:
        """Return the links with the columns of `links/`, those of one UID together."""
        return self._links

    def uids(self) -> pa.Table:
        """Return a row for each distinct UID, with the columns of `uids/`.

        Its columns are dbfrom, from_uid, outcome (linked, empty, missing or failed), links, reason.
        """
        return self._uids

    def by_uid(self, linkname: str | None = None) -> dict[Uid, list[Uid]]:
        """Return each answered UID with the records it is linked to, in NCBI's order, each once.

        Args:
            linkname: of these links only; None for all together.

        Returns:
            UID → linked UIDs, empty for a UID without links. UIDs without an answer are left out.

        Raises:
            BadInput: the cmd does not say which UID is linked to which, or links with this name
                were neither requested nor returned.
        """
        return targets_by_uid(self, linkname, self._possible)

    @property
    def unanswered(self) -> dict[Uid, str]:
        """UIDs without an answer, with the reason; nothing is known of their links."""
        return reasons(self._uids)


async def ask_links(
    client: Client, job: Job, listed: Listed, warnings: Sequence[str] = ()
) -> Linked:
    """Return ELink's answers for a list of UIDs.

    The requests are those of a harvest: by id, in batches, retried if an answer was broken or left
    UIDs out, finally alone. Links are assigned to the UID of their LinkSet.

    UIDs are asked for as in a harvest: by id, in batches, again where an answer was broken or
    left them out, at last alone. Links go to the UID whose LinkSet they stand in.

    Args:
        client: asks.
        job: has the link and the limits.
        listed: the UIDs.
        warnings: about the job, for the result.

    Raises:
        BadInput: there are more than `MOST`.
        Refused: the server refuses us.
        HarvestError: it does not answer.
    """
    link = job.link
    identifiers = identifiers_of(link.idtype)
    todo = identifiers.number_all(listed)
    if len(todo) > MOST:
        raise BadInput(
            f"{len(todo):,} UIDs are a large job ({MOST:,} at most in one call): give them to "
            "harvester.harvest, which can be resumed, or to harvester.stream."
        )
    if CMDS[link.cmd].merged:  # one set of all UIDs, not one per batch
        limits = job.limits.model_copy(update={"batch_size": min(max(len(todo), 1), 5000)})
        job = job.model_copy(update={"limits": limits})
    got: list[Delivery] = []
    engine = make_engine(
        job,
        client,
        Elink(link, identifiers),
        todo,
        deliver=got.append,
        emit=lambda _: None,
        give_up_after=_PATIENCE_SECONDS,
    )
    ended = await drive(engine)
    if ended is not None:
        raise ended
    commit = build_commit(got, link.dbfrom, identifiers)
    return Linked(
        _links(link, commit),
        _outcomes(link.dbfrom, identifiers, commit),
        warnings,
        possible_linknames(link.dbfrom, link.db, link.linkname),
    )


def _links(link: Link, commit: Commit) -> pa.Table:
    """Return the rows of links as one table, those of a UID together."""
    table = schema_of(link).empty_table() if commit.links is None else commit.links.to_table()
    if link.targets_only:
        table = Targets().unseen(table)
    table = table.unify_dictionaries().combine_chunks()
    return table.sort_by("from_uid") if "from_uid" in table.column_names else table


def _outcomes(dbfrom: str, identifiers: Identifiers, commit: Commit) -> pa.Table:
    """Return the rows of `uids` as one table, sorted by UID."""
    parts = [with_ids(UIDS, identifiers.type).empty_table()]
    parts += [] if commit.uids is None else [commit.uids]
    for one in commit.settled:
        if one.reason is not None:
            members = identifiers.column(uids.as_array(one.uids))
            parts.append(unanswered_rows(dbfrom, members, one.outcome, one.reason))
    return pa.concat_tables(parts).unify_dictionaries().combine_chunks().sort_by("from_uid")
