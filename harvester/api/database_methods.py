"""EInfo as methods of `Eutils`."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from harvester.api.connection import Connected
from harvester.api.databases import describe_all, list_links
from harvester.errors import BadInput, printable

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.eutils.einfo import DbInfo, DbLink


class DatabaseMethods(Connected):
    """EInfo."""

    @overload
    async def einfo(self) -> list[str]: ...

    @overload
    async def einfo(self, db: str) -> DbInfo: ...

    async def einfo(self, db: str | None = None) -> list[str] | DbInfo:
        """EInfo: the names of all databases, or a description of one. Cached for a day.

        Args:
            db: the database; None lists all.

        Example:
            ```
            info = await e.einfo("pubmed")
            print(info.count, [link.name for link in info.links])
            ```
        """
        if db is None:
            return await self._at.answer("EInfo", self._at.catalogue.databases())
        await self._at.check_db(db)
        info = await self._at.answer("EInfo", self._at.catalogue.info(db))
        if info is None:
            raise BadInput(f"EInfo knows no database '{printable(db)}'.")
        return info

    async def einfo_all(
        self, before: Callable[[int], None] | None = None
    ) -> dict[str, DbInfo | None]:
        """EInfo: a description of every database. Cached for a day.

        Args:
            before: called with the number of requests about to be sent, unless there are none.

        Returns:
            Name → description; None if the server lists the database but does not describe it.

        Example:
            ```
            infos = await e.einfo_all()
            print(sum(len(info.links) for info in infos.values() if info))
            ```
        """
        return await describe_all(self._at, before)

    async def linknames(self, dbfrom: str, db: str | None = None) -> list[DbLink]:
        """EInfo: the linknames that start from a database. Cached for a day.

        ELink returns some linknames that EInfo does not list.

        Args:
            dbfrom: database that the links start from.
            db: database that they lead to; default: all.

        Example:
            ```
            print([link.name for link in await e.linknames("gene", db="protein")])
            ```
        """
        return await list_links(self._at, dbfrom, db)
