"""Links by UID: each answered UID with the records it is linked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa

from harvester.client.known_names import LINKNAMES
from harvester.errors import BadInput, nearest, printable
from harvester.job.databases import answer_name
from harvester.model import lazy_compute as pc
from harvester.model.outcomes import ANSWERED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from harvester.api.arguments import Uid
    from harvester.store.frames import Frames


def possible_linknames(dbfrom: str, dbs: Iterable[str], asked: Collection[str]) -> frozenset[str]:
    """Return the linknames that an answer may hold: the requested ones, or all well-known ones."""
    if asked:
        return frozenset(asked)
    stems = tuple(f"{answer_name(dbfrom)}_{'' if db == 'all' else answer_name(db)}" for db in dbs)
    return frozenset(name for name in LINKNAMES if name.startswith(stems))


def targets_by_uid(
    frames: Frames, linkname: str | None, possible: Collection[str]
) -> dict[Uid, list[Uid]]:
    """Return each answered UID with the records it is linked to, in NCBI's order, each once.

    Args:
        frames: the links and outcomes.
        linkname: only links of this name; None for all together.
        possible: valid linknames that may have no links.

    Raises:
        BadInput: the rows do not say which UID is linked to which, or no such links can be there.
    """
    rows, uids = frames.links(), frames.uids()
    if not {"from_uid", "to_uid"} <= set(rows.column_names):
        raise BadInput("These rows do not say which UID is linked to which: see `links()`.")
    if linkname is not None:
        came = set(pc.unique(rows["linkname"].cast(pa.string())).to_pylist())
        if linkname not in came | set(possible):
            hint = nearest(linkname, [*came, *possible]) or (
                f"; there are {', '.join(sorted(came))}" if came else ""
            )
            raise BadInput(f"No links called '{printable(linkname)}' were requested{hint}.")
        rows = rows.filter(pc.equal(rows["linkname"].cast(pa.string()), linkname))
    known = pc.is_in(uids["outcome"].cast(pa.string()), pa.array(sorted(ANSWERED)))
    found: dict[Uid, dict[Uid, None]] = {
        uid: {} for uid in uids.filter(known)["from_uid"].to_pylist()
    }
    pairs = zip(rows["from_uid"].to_pylist(), rows["to_uid"].to_pylist(), strict=True)
    for from_uid, to_uid in pairs:
        found.setdefault(from_uid, {})[to_uid] = None
    return {uid: list(targets) for uid, targets in found.items()}


def reasons(uids: pa.Table) -> dict[Uid, str]:
    """Return the UIDs without an answer, with the reason."""
    rows = uids.filter(pc.is_valid(uids["reason"]))
    return dict(zip(rows["from_uid"].to_pylist(), rows["reason"].to_pylist(), strict=True))
