"""The E-utilities without `await`, for scripts and other code without an event loop."""

from __future__ import annotations

from contextlib import ExitStack
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar, overload

from harvester.api.connection import Connected
from harvester.api.database_methods import DatabaseMethods
from harvester.api.link_methods import LinkMethods
from harvester.api.portal import Portal
from harvester.api.record_methods import RecordMethods
from harvester.api.search_methods import SearchMethods

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
    from typing import Unpack

    from harvester.api.arguments import DateFields, Uid
    from harvester.eutils.einfo import DbInfo

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Connected)

_AT_ONCE = 500
"""UIDs of a search returned per call to the loop."""


def _waiting(
    method: Callable[Concatenate[M, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[SyncEutils, P], T]:
    """Return a method of `Eutils` in a form that waits for its result."""

    @wraps(method)
    def call(self: SyncEutils, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._portal.call(method(self._eutils, *args, **kwargs))

    return call


class SyncEutils:
    """The E-utilities of one server: the methods of `Eutils`, each of which waits for its result.

    Args:
        eutils: asks; made by `Eutils.sync`.

    Example:
        ```
        with Eutils.sync(email="you@example.org") as eutils:
            linked = eutils.elink("pubmed", [20210808, 12345678], db="gene")
            print(linked.by_uid("pubmed_gene"))
        ```
    """

    def __init__(self, eutils: Any) -> None:
        self._eutils = eutils
        self._portal = Portal()
        self._open = ExitStack()

    def __repr__(self) -> str:
        """Show the server; the API key stays out."""
        return f"Sync{self._eutils!r}"

    def __enter__(self) -> Self:
        """Connect."""
        with ExitStack() as opening:
            opening.enter_context(self._portal)
            self._portal.call(self._eutils.__aenter__())
            opening.callback(lambda: self._portal.call(self._eutils.__aexit__(None, None, None)))
            self._open = opening.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        """Disconnect."""
        self._open.close()

    elink = _waiting(LinkMethods.elink)
    esearch = _waiting(SearchMethods.esearch)
    egquery = _waiting(SearchMethods.egquery)
    espell = _waiting(SearchMethods.espell)
    ecitmatch = _waiting(SearchMethods.ecitmatch)
    epost = _waiting(RecordMethods.epost)
    esummary = _waiting(RecordMethods.esummary)
    efetch = _waiting(RecordMethods.efetch)
    einfo_all = _waiting(DatabaseMethods.einfo_all)
    linknames = _waiting(DatabaseMethods.linknames)

    @overload
    def einfo(self) -> list[str]: ...

    @overload
    def einfo(self, db: str) -> DbInfo: ...

    def einfo(self, db: str | None = None) -> list[str] | DbInfo:
        """EInfo: the names of all databases, or a description of one. Cached for a day."""
        found: list[str] | DbInfo = self._portal.call(self._eutils.einfo(db))
        return found

    def search_all(self, db: str, term: str, **fields: Unpack[DateFields]) -> Iterator[Uid]:
        """ESearch: every record that matches a query, each once; see `Eutils.search_all`."""
        found = self._eutils.search_all(db, term, **fields)
        try:
            while block := self._portal.call(_take(found)):
                yield from block
        finally:
            self._portal.call(found.aclose())


async def _take(found: AsyncIterator[Uid]) -> list[Uid]:
    """Return the next UIDs; none at the end."""
    block: list[Uid] = []
    async for uid in found:
        block.append(uid)
        if len(block) == _AT_ONCE:
            break
    return block
