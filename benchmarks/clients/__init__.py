"""Other clients at long lists of UIDs, one module each, for `benchmarks.peers`.

Each has `DISTRIBUTION`, or `version`, and `harvest`, which requests UIDs as the client's
documentation says, in batches if it supports them, and yields the links after each answer. The key
is in the variable NCBI_API_KEY. A module imports only the standard library and its own client.
(`benchmarks.conformance.clients` has the same clients with a single request.)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

Groups = list[tuple[list[str], list[str]]]
"""(from UIDs, to UIDs); one from UID if the client keeps pairs."""

DBFROM = "pubmed"

EMAIL = "benchmarks@example.org"

BATCH = 200
"""UIDs per request of the clients that accept more than one."""


def batches(uids: list[str]) -> Iterator[list[str]]:
    """Return the UIDs of each request."""
    for begin in range(0, len(uids), BATCH):
        yield uids[begin : begin + BATCH]
