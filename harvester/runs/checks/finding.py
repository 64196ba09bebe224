"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `harvester doctor`.

    Attributes:
        check: what was checked.
        ok: whether nothing has to be done.
        detail: what was found.
        remedy: what to do; None if it is ok.
    """

    check: str
    ok: bool
    detail: str
    remedy: str | None = None


def fine(check: str, detail: str) -> Finding:
    """Return the finding of a check that is ok."""
    return Finding(check, True, detail)


def wrong(check: str, detail: str, remedy: str) -> Finding:
    """Return the finding of a check that is not ok."""
    return Finding(check, False, detail, remedy)


def unknown(check: str, needs: str) -> Finding:
    """Return the finding of a check that requires another one to be ok first."""
    return Finding(check, False, f"not checked: it needs {needs}", f"First see {needs}.")
