"""The failed and missing UIDs of a harvest: their rows, and their list for the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.model import schemas, uids
from harvester.store import durable
from harvester.store.folder import UNANSWERED

if TYPE_CHECKING:
    from harvester.store.ledger import Ledger


def write_unanswered(ledger: Ledger) -> None:
    """Write `unanswered.txt` and the rows of failed and missing UIDs in place of older ones.

    Without such UIDs neither exists. A part that has these rows already is kept.
    """
    listed, old = ledger.folder / UNANSWERED, ledger.state.parts("unanswered")
    tables = [
        schemas.unanswered_rows(
            ledger.dbfrom,
            ledger.input.identifiers.column(uids.as_array(one.uids)),
            one.outcome,
            one.reason,
        )
        for one in ledger.state.unanswered()
    ]
    if not tables:
        ledger.replace_parts(old, [])
        durable.remove([listed])
        return
    table = pa.concat_tables(tables).sort_by("from_uid")
    durable.write_text(listed, "".join(f"{uid}\n" for uid in table["from_uid"].to_pylist()))
    if not (len(old) == 1 and ledger.parts.holds(old[0], [table])):
        ledger.replace_parts(old, [ledger.parts.write("unanswered", [table])])


def reopen_unanswered(ledger: Ledger) -> None:
    """Remove the outcomes of failed and missing UIDs, so that they are queried again."""
    ledger.begin()
    ledger.state.forget(uids.union(one.uids for one in ledger.state.unanswered()))
    ledger.replace_parts(ledger.state.parts("unanswered"), [])
    durable.remove([ledger.folder / UNANSWERED])
