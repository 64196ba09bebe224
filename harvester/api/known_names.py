"""Names of databases and links that are known without a request."""

from __future__ import annotations

from harvester.client.known_names import DATABASES, LINKNAMES, UNLISTED
from harvester.job.databases import answer_name

__all__ = ["known_databases", "known_linknames"]


def known_databases() -> list[str]:
    """Return the names of NCBI's databases, sorted."""
    return sorted(DATABASES)


def known_linknames(dbfrom: str | None = None) -> list[str]:
    """Return names of links, sorted.

    Args:
        dbfrom: database that they start from; None: all.
    """
    names = sorted(LINKNAMES | UNLISTED)
    if dbfrom is None:
        return names
    return [name for name in names if name.startswith(f"{answer_name(dbfrom)}_")]
