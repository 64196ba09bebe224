"""One answer, matched with the UIDs of its request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.model.rows import RunLengthRows
    from harvester.model.uids import UidArray


@dataclass(frozen=True, slots=True)
class Answer:
    """One question's answer, reconciled.

    Attributes:
        rows: of `links`, for `answered` UIDs only, each link once.
        answered: UIDs answered whole, ascending.
        counts: links of each answered UID.
        broken: UIDs with an ERROR inside their LinkSet, and its text; none of their links count.
        left_out: UIDs asked for of which the answer says nothing.
        unrequested: LinkSets dropped since they are for no single UID that was asked for.
        owner: the UID of each list of rows; None where rows are of all.
    """

    rows: RunLengthRows
    answered: UidArray
    counts: NDArray[np.int64]
    broken: dict[int, str]
    left_out: UidArray
    unrequested: int
    owner: UidArray | None = None

    def only(self, uids: UidArray) -> Answer:
        """The answer as far as it is about some of the answered UIDs."""
        mine = np.isin(self.answered, uids)
        rows, owner = self.rows, self.owner
        if owner is not None:
            lists = np.isin(owner, uids)
            rows, owner = rows.filter_lists(lists), owner[lists]
        return replace(
            self, rows=rows, answered=self.answered[mine], counts=self.counts[mine], owner=owner
        )
