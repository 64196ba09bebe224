"""The UIDs of one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from harvester.model.uids import UidArray

Retmode: TypeAlias = Literal["json", "xml"]
"""Form of an answer."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The UIDs of one request, and their history.

    Attributes:
        uids: distinct, ascending.
        tries: requests that failed; for a single UID, those in which it was alone.
        left_out: answers in a row that did not name these UIDs.
        confirmed: answers without links so far.
        excused: failures in a row that were not charged to these UIDs.
        retmode: form to ask for.
    """

    uids: UidArray
    retmode: Retmode
    tries: int = 0
    left_out: int = 0
    confirmed: int = 0
    excused: int = 0

    def __len__(self) -> int:
        """Return the number of UIDs."""
        return len(self.uids)


def other_form(retmode: Retmode) -> Retmode:
    """Return the form that an answer did not have."""
    return "xml" if retmode == "json" else "json"
