"""Merge a later pass with the passes before: all rows are rewritten, range by range."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from harvester.model import schemas, uids
from harvester.model.identifiers import numbered, written
from harvester.model.outcomes import ANSWERED, Outcome
from harvester.store.parts import SPILLED
from harvester.store.passes import estimate
from harvester.store.passes.merge_rows import merge_tables
from harvester.store.passes.spill import ROWS, Spill, cut, range_bounds
from harvester.store.state_reader import MERGED, Settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.model.uids import UidSet
    from harvester.store.ledger import Ledger
    from harvester.store.state_reader import Part


def merge_pass(ledger: Ledger, pass_number: int) -> None:
    """Merge the links and outcomes of a later pass with those before, in one transaction.

    The result is the union of both readings. Without new outcomes in the pass, nothing happens.

    Args:
        ledger: the harvest's folder.
        pass_number: number of the pass, from 2.

    Raises:
        FolderError: a part is not as it was committed.
    """
    state, identifiers = ledger.state, ledger.input.identifiers
    fresh = [one for one in state.settled(pass_number) if one.outcome != MERGED]
    if not fresh:
        return
    before = state.settled()
    first, again = _answered(before), _answered(fresh)
    answered, both = first | again, first & again
    old = state.parts("links", "again", "uids", "unanswered")
    ledger.parts.check(old)
    agreements = json.loads(state.get("agreement") or "{}")
    agreed = estimate.from_json(agreements.get(str(pass_number), {}))
    rows = sum(part.rows for part in state.parts("links", "again"))
    bounds = range_bounds(answered, rows, ROWS)
    linked = uids.as_set()
    new: list[Part] = []
    tos = type(identifiers)()
    with Spill(ledger.folder / SPILLED, bounds, schemas.NEIGHBOR_LINKS) as spill:
        for kind in ("links", "again"):
            read = ledger.parts.read(state.parts(kind), ledger.schema)
            spill.fill(kind, (numbered(table, identifiers, tos) for table in read))
        for number, members in enumerate(cut(answered, bounds)):
            table, found = merge_tables(
                spill.read("links", number),
                spill.read("again", number),
                uids.as_array(both & members),
            )
            for name, one in found.items():
                agreed[name] = agreed.get(name, estimate.Agreement()) + one
            asked = uids.as_array(members)
            counts = uids.count(table["from_uid"].to_numpy(), asked)
            linked |= uids.as_set(asked[counts > 0])
            tables = {
                "links": written(table, identifiers, tos),
                "uids": schemas.answered_rows(ledger.dbfrom, identifiers.column(asked), counts),
            }
            new += [ledger.parts.write(kind, [t]) for kind, t in tables.items() if t.num_rows]
    settled = [Settled(Outcome.LINKED, linked), Settled(Outcome.EMPTY, answered - linked)]
    settled += _still_unanswered([*before, *fresh], answered)
    agreements[str(pass_number)] = estimate.to_json(agreed)
    state.replace_all(
        old_parts=old,
        new_parts=new,
        settled=settled,
        merged_pass=pass_number,
        meta={"agreement": json.dumps(agreements)},
    )
    ledger.parts.delete(old)


def _answered(settled: Sequence[Settled]) -> UidSet:
    return uids.union(one.uids for one in settled if one.outcome in ANSWERED)


def _still_unanswered(settled: Sequence[Settled], answered: UidSet) -> list[Settled]:
    """Return the UIDs never answered, each with the first of its outcomes and reasons."""
    taken = answered.copy()
    left = []
    for one in settled:
        if one.outcome in (Outcome.MISSING, Outcome.FAILED) and (rest := one.uids - taken):
            left.append(Settled(one.outcome, rest, one.reason))
            taken |= rest
    return left
