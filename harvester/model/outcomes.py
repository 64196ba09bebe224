"""Outcomes of input UIDs."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """Outcome of one input UID."""

    LINKED = "linked"  # answered in full, with at least one link
    EMPTY = "empty"  # answered, without links
    MISSING = "missing"  # left out of every answer, also when requested alone
    FAILED = "failed"  # no whole answer after every attempt


ANSWERED = frozenset({Outcome.LINKED, Outcome.EMPTY})
"""Outcomes by a whole answer; the others have a reason."""
