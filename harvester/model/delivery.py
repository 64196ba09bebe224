"""Values that the engine delivers: UIDs with an outcome, their links, and responses to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from harvester.model.outcomes import Outcome
    from harvester.model.rows import RunLengthRows
    from harvester.model.uids import UidArray


@dataclass(frozen=True, slots=True)
class AnsweredUids:
    """UIDs that were answered whole, with links or without.

    Attributes:
        uids: int64, linked and empty UIDs.
        counts: int64, links of each.
        rows: all their rows of `links`.
    """

    uids: UidArray
    counts: NDArray[np.int64]
    rows: RunLengthRows


@dataclass(frozen=True, slots=True)
class UnansweredUids:
    """UIDs without an answer after all attempts.

    Attributes:
        uids: int64.
        outcome: failed or missing.
        reason: why, for the column `reason`.
    """

    uids: UidArray
    outcome: Outcome
    reason: str


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A response as it was received, kept for `harvester reparse`.

    Attributes:
        retmode: its form, `json` or `xml`.
        asked: int64, the UIDs of the request.
        body: its bytes.
    """

    retmode: str
    asked: UidArray
    body: bytes


Delivery: TypeAlias = AnsweredUids | UnansweredUids | RawResponse
