"""What the engine hands on: settled UIDs, their links and, where they are kept, the answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from harvester.model.outcomes import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from harvester.model.rows import RunLengthRows
    from harvester.model.uids import UidArray


@dataclass(frozen=True, slots=True)
class Raw:
    """An answer as it came, to a question for some UIDs in some form."""

    retmode: str
    asked: UidArray
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """UIDs that are settled, and their links.

    Attributes:
        rows: of `links` for `answered`, complete.
        answered: linked and empty UIDs.
        counts: links of each.
        outcome: of `unanswered`, failed or missing.
        reason: why.
        raw: answers as they came, where they are kept.
    """

    rows: RunLengthRows | None = None
    answered: UidArray = field(default_factory=lambda: np.empty(0, np.int64))
    counts: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    unanswered: UidArray = field(default_factory=lambda: np.empty(0, np.int64))
    outcome: Outcome = Outcome.FAILED
    reason: str | None = None
    raw: tuple[Raw, ...] = ()
