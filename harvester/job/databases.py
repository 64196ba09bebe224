"""Names of NCBI's databases that mean the same database."""

from __future__ import annotations

ALIASES = {"nucleotide": "nuccore"}
"""Alias → the name in ELink's answers and linknames. EInfo lists both (recorded in 2025)."""

SEQUENCES = frozenset(("nuccore", "nucleotide", "nucest", "nucgss", "popset", "protein"))
"""Databases whose records have accessions beside UIDs (NBK25497)."""


def answer_name(db: str) -> str:
    """Return the name that ELink's answers and linknames use for a database.

    Example:
        >>> answer_name("nucleotide"), answer_name("pmc")
        ('nuccore', 'pmc')
    """
    return ALIASES.get(db, db)
