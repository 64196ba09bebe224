"""One answer, matched with the UIDs of its request."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.model.rows import RunLengthRows
    from harvester.model.uids import UidArray


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, matched with the requested UIDs.

    Each of these UIDs is in exactly one of `answered`, `broken`, `left_out` and `renamed`.

    Attributes:
        rows: rows of the `answered` UIDs, each link once.
        answered: UIDs answered in full, ascending.
        counts: links per answered UID.
        broken: UIDs with an ERROR inside their LinkSet, and its text; their links do not count.
        left_out: UIDs that the answer does not name, ascending.
        unrequested: LinkSets dropped because they name no single requested UID.
        owner: UID of each list of rows; None if the rows belong to all UIDs together.
        renamed: accessions that the answer names with another version, and that name; only in
            answers for accessions.
        remark: ERROR of a LinkSet that names no UID; empty if there is none.
    """

    rows: RunLengthRows
    answered: UidArray
    counts: NDArray[np.int64]
    broken: dict[int, str]
    left_out: UidArray
    unrequested: int
    owner: UidArray | None = None
    renamed: dict[int, str] = field(default_factory=dict)
    remark: str = ""

    def only(self, uids: UidArray) -> Answer:
        """Return the part of the answer about some of the answered UIDs."""
        mine = np.isin(self.answered, uids)
        rows, owner = self.rows, self.owner
        if owner is not None:
            lists = np.isin(owner, uids)
            rows, owner = rows.filter_lists(lists), owner[lists]
        return replace(
            self, rows=rows, answered=self.answered[mine], counts=self.counts[mine], owner=owner
        )
