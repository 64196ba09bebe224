"""The E-utilities one by one: each is awaited, and all of them share one rate limit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self, TypedDict

from harvester.api.connection import Connection
from harvester.api.database_methods import DatabaseMethods
from harvester.api.link_methods import LinkMethods
from harvester.api.links import Linked
from harvester.api.record_methods import RecordMethods
from harvester.api.search_methods import SearchMethods
from harvester.api.sync_eutils import SyncEutils
from harvester.client.client import ATTEMPTS
from harvester.eutils.ecitmatch import Citation
from harvester.eutils.egquery import Hits
from harvester.eutils.einfo import DbInfo, DbLink

if TYPE_CHECKING:
    from typing import Unpack

__all__ = ["Citation", "DbInfo", "DbLink", "Eutils", "Hits", "Linked"]


class EutilsOptions(TypedDict, total=False):
    """The arguments of `Eutils` besides `email`."""

    api_key: str | None
    base_url: str | None
    rate: float | None
    rate_granted: bool
    timeout: float
    attempts: int
    tool: str | None


class Eutils(LinkMethods, SearchMethods, RecordMethods, DatabaseMethods):
    """The E-utilities of one server; each call is awaited, and calls can run at the same time.

    All requests share one rate limit with every harvest on this machine that uses the same API
    key. Failed requests are retried with backoff.

    Args:
        email: contact email, required by NCBI; default: the environment variable `NCBI_EMAIL`.
        api_key: default: the environment variable `NCBI_API_KEY`.
        base_url: URL of an E-utilities server; default: the environment variable
            `HARVESTER_BASE_URL`, else NCBI.
        rate: requests per second; default: 3, with an API key 10.
        rate_granted: whether NCBI has granted a higher rate than that.
        timeout: seconds per request.
        attempts: requests per answer, at most; `elink` retries as a harvest does.
        tool: name of the software without spaces, sent to NCBI.

    Raises:
        BadInput: an argument is wrong, or NCBI does not permit the request (email, https, rate).

    Every method raises:
        BadInput: an argument is wrong; no request was sent for it.
        Refused: the server rejects all requests (bad API key, blocked address).
        HarvestError: no complete answer came after several attempts.

    Example:
        ```
        async with Eutils(email="you@example.org") as e:
            linked = await e.elink("pubmed", [20210808, 12345678], db="gene")
            print(linked.by_uid("pubmed_gene"))
        ```
    """

    def __init__(
        self,
        email: str | None = None,
        api_key: str | None = None,
        base_url: str | None = None,
        rate: float | None = None,
        *,
        rate_granted: bool = False,
        timeout: float = 60.0,
        attempts: int = ATTEMPTS,
        tool: str | None = None,
    ) -> None:
        settings = {
            "contact": _given({"email": email, "tool": tool}),
            "server": _given({"base_url": base_url}),
            "limits": _given({"rate": rate, "rate_granted": rate_granted, "timeout": timeout}),
        }
        environ = os.environ | _given({"NCBI_API_KEY": api_key})
        super().__init__(Connection(settings, environ, attempts))

    @classmethod
    def sync(cls, email: str | None = None, **options: Unpack[EutilsOptions]) -> SyncEutils:
        """Return the same utilities for code that does not await; takes the same arguments.

        Example:
            ```
            with Eutils.sync(email="you@example.org") as eutils:
                print(eutils.elink("pubmed", 20210808, db="gene").by_uid("pubmed_gene"))
            ```
        """
        return SyncEutils(cls(email, **options))

    def __repr__(self) -> str:
        """Show the server; the API key stays out."""
        return f"Eutils({self._at.base_url!r})"

    async def __aenter__(self) -> Self:
        """Connect."""
        await self._at.open()
        return self

    async def __aexit__(self, *error: object) -> None:
        """Disconnect."""
        await self._at.close()


def _given(values: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that have a value."""
    return {name: value for name, value in values.items() if value is not None}
