"""ELink about a list of UIDs in memory: the engine of a harvest, with nothing written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.errors import BadInput
from harvester.eutils.elink.commands import Elink, schema_of
from harvester.job.cmds import CMDS
from harvester.model import lazy_compute as pc
from harvester.model import uids
from harvester.model.distinct_targets import Targets
from harvester.model.identifiers import identifiers_of
from harvester.model.outcomes import ANSWERED, Outcome
from harvester.model.schemas import UIDS, unanswered_rows, with_ids
from harvester.runs.drive import drive, make_engine
from harvester.store.commit import build_commit

if TYPE_CHECKING:
    from harvester.api.arguments import Uid
    from harvester.client.client import Client
    from harvester.job.link import Link
    from harvester.job.model import Job
    from harvester.model.delivery import Delivery
    from harvester.model.identifiers import Identifiers, Listed
    from harvester.store.commit import Commit

MOST = 20_000
"""UIDs of one call. With more it is a large job, which keeps NCBI's hours and can be resumed."""

_PATIENCE_SECONDS = 8.0
"""How long to wait for a server that does not answer. Nobody watches: an error is better."""


@dataclass(frozen=True, slots=True, repr=False)
class Linked:
    """What ELink says of some UIDs.

    Attributes:
        links: rows as a harvest has them in `links/`, those of one UID together.
        uids: rows as a harvest has them in `uids/`, one for each distinct UID that was asked for:
            dbfrom, from_uid, outcome (linked, empty, missing or failed), links, reason.
        warnings: a sentence for each thing that NCBI may not have done as asked.
    """

    links: pa.Table
    uids: pa.Table
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show counts: the tables have many rows."""
        outcomes = Counter(self.uids["outcome"].to_pylist())
        counts = [f"{outcomes[one.value]:,} {one.value}" for one in Outcome if outcomes[one.value]]
        counts += [f"{len(self.warnings)} warnings"] if self.warnings else []
        return f"Linked({', '.join([f'{self.links.num_rows:,} links', *counts])})"

    def by_uid(self, linkname: str | None = None) -> dict[Uid, list[Uid]]:
        """Each answered UID and the records it is linked to, in NCBI's order, each once.

        Args:
            linkname: of these links alone; else of all together.

        Returns:
            A UID without links has an empty list; one without an answer is left out.

        Raises:
            BadInput: the cmd does not tell which UID is linked to which.
        """
        if not {"from_uid", "to_uid"} <= set(self.links.column_names):
            raise BadInput("These rows do not say which UID is linked to which: see `links`.")
        known = pc.is_in(self.uids["outcome"].cast(pa.string()), pa.array(sorted(ANSWERED)))
        answered = self.uids.filter(known)["from_uid"].to_pylist()
        found: dict[Uid, dict[Uid, None]] = {uid: {} for uid in answered}
        rows = self.links
        if linkname is not None:
            rows = rows.filter(pc.equal(rows["linkname"].cast(pa.string()), linkname))
        pairs = zip(rows["from_uid"].to_pylist(), rows["to_uid"].to_pylist(), strict=True)
        for from_uid, to_uid in pairs:
            found[from_uid][to_uid] = None
        return {uid: list(targets) for uid, targets in found.items()}

    @property
    def unanswered(self) -> dict[Uid, str]:
        """UIDs without an answer, and why; of their links nothing is known."""
        rows = self.uids.filter(pc.is_valid(self.uids["reason"]))
        return dict(zip(rows["from_uid"].to_pylist(), rows["reason"].to_pylist(), strict=True))


async def ask_links(client: Client, job: Job, listed: Listed) -> Linked:
    """What ELink says of a list of UIDs.

    UIDs are asked for as in a harvest: by id, in batches, again where an answer was broken or
    left them out, at last alone. Links go to the UID whose LinkSet they stand in.

    Args:
        client: asks.
        job: its link and limits.
        listed: the UIDs.

    Raises:
        BadInput: they are more than `MOST`.
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
    if CMDS[link.cmd].merged:  # one set of all, not one of each batch
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
    return Linked(_links(link, commit), _outcomes(link.dbfrom, identifiers, commit))


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
