"""UIDs that are asked for in one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from harvester.model.uids import UidArray

Retmode: TypeAlias = Literal["json", "xml"]
"""The form of an answer."""


@dataclass(frozen=True, slots=True)
class Batch:
    """UIDs that are asked for in one request, and what they have been through.

    Attributes:
        uids: distinct, ascending.
        tries: requests that failed; of a UID alone, those in which it was alone.
        left_out: answers in a row that left these UIDs out.
        confirmed: answers without links so far.
        excused: failures in a row that were not charged to these UIDs.
        retmode: the form to ask in.
    """

    uids: UidArray
    retmode: Retmode
    tries: int = 0
    left_out: int = 0
    confirmed: int = 0
    excused: int = 0

    def __len__(self) -> int:
        """How many UIDs."""
        return len(self.uids)
