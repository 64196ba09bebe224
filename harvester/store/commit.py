"""The rows and outcomes of one commit, assembled from what the engine delivered."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from harvester.model import uids
from harvester.model.delivery import AnsweredUids, RawResponse, UnansweredUids
from harvester.model.outcomes import Outcome
from harvester.model.rows import RunLengthRows
from harvester.model.schemas import RAW, answered_rows
from harvester.store.state_reader import Settled

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harvester.model.delivery import Delivery
    from harvester.model.identifiers import Identifiers
    from harvester.model.uids import UidArray


@dataclass(frozen=True, slots=True)
class Commit:
    """Rows and outcomes that become permanent together.

    Attributes:
        links: rows of `links`, or None.
        uids: rows of `uids` for the linked and empty UIDs among `settled`, or None.
        settled: all UIDs that have an outcome now.
        raw: rows of kept responses, or None.
        pass_number: the pass in which the UIDs were queried, from 1.
    """

    links: RunLengthRows | None = None
    uids: pa.Table | None = None
    settled: Sequence[Settled] = ()
    raw: pa.Table | None = None
    pass_number: int = 1


def build_commit(
    deliveries: Iterable[Delivery], dbfrom: str, identifiers: Identifiers, pass_number: int = 1
) -> Commit:
    """Return the commit of some deliveries.

    Args:
        deliveries: what the engine delivered, in its order.
        dbfrom: database of the UIDs, for the rows of `uids`.
        identifiers: how the UIDs are written in tables.
        pass_number: the pass in which they were queried.
    """
    answered: list[AnsweredUids] = []
    responses: list[RawResponse] = []
    unanswered: dict[tuple[Outcome, str], list[UidArray]] = defaultdict(list)
    for delivery in deliveries:
        match delivery:
            case AnsweredUids():
                answered.append(delivery)
            case UnansweredUids():
                unanswered[delivery.outcome, delivery.reason].append(delivery.uids)
            case RawResponse():
                responses.append(delivery)
    settled = [
        Settled(outcome, uids.as_set(np.concatenate(members)), reason)
        for (outcome, reason), members in unanswered.items()
    ]
    raw = _raw_rows(responses, pass_number) if responses else None
    if not answered:
        return Commit(None, None, settled, raw, pass_number)
    members = np.concatenate([one.uids for one in answered])
    counts = np.concatenate([one.counts for one in answered])
    found = [one.rows for one in answered if len(one.rows)]
    return Commit(
        links=RunLengthRows.concat(found) if found else None,
        uids=answered_rows(dbfrom, identifiers.column(members), counts),
        settled=[
            *(
                Settled(outcome, uids.as_set(members[mask]))
                for outcome, mask in ((Outcome.LINKED, counts > 0), (Outcome.EMPTY, counts == 0))
                if mask.any()
            ),
            *settled,
        ],
        raw=raw,
        pass_number=pass_number,
    )


def _raw_rows(responses: Sequence[RawResponse], pass_number: int) -> pa.Table:
    columns = {
        "sweep": [pass_number] * len(responses),
        "retmode": [one.retmode for one in responses],
        "asked": [one.asked for one in responses],
        "body": [one.body for one in responses],
    }
    return pa.table(columns, schema=RAW)
