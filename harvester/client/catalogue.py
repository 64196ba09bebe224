"""What EInfo tells of a server's databases, kept for a day in the user's cache folder.

One small file holds one answer. A file that is damaged, of another version or out of date is as
none, and so is a folder that cannot be written: the catalogue then asks again.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from platformdirs import user_cache_path
from pydantic import TypeAdapter

from harvester.client.client import ATTEMPTS
from harvester.errors import Fault, RequestFailed
from harvester.eutils import einfo
from harvester.eutils.einfo import DbInfo
from harvester.store import durable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from pathlib import Path

    from harvester.client.client import Client

T = TypeVar("T")

DAY = 24 * 3600.0
_VERSION = 1
_NAME = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The content of a file: what was asked, when, and what came.

    Attributes:
        version: of this form.
        server: base URL.
        db: asked about; empty where the list of databases was asked for.
        at: seconds since 1970.
        databases: the list that was asked for.
        info: of `db`; None where the server does not know it.
    """

    version: int
    server: str
    db: str
    at: float
    databases: list[str]
    info: DbInfo | None


_FORM = TypeAdapter(_Kept)


class Catalogue:
    """The databases of the server that a client asks.

    Args:
        client: asks what is not kept.
        folder: of the files.
        now: seconds since 1970.
        attempts: requests at most for one answer, as for `Client.call`.

    Example:
        ```
        catalogue = Catalogue(client)
        info = await catalogue.info("pubmed")
        names = [link.name for link in info.links] if info else []
        ```
    """

    def __init__(
        self,
        client: Client,
        folder: Path | None = None,
        now: Callable[[], float] = time.time,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._client = client
        self._folder = folder or user_cache_path("elink-harvester")
        self._now = now
        self._attempts = attempts

    async def databases(self) -> list[str]:
        """The names of all databases, as the server lists them.

        Raises:
            RequestFailed, Refused: the server does not tell.
        """
        kept = self._kept("")
        if kept is None:
            kept = await self._ask("", einfo.read_databases)
        return kept.databases

    async def info(self, db: str) -> DbInfo | None:
        """What the server tells of a database; None where it does not know it.

        Raises:
            RequestFailed, Refused: the server does not tell.
        """
        kept = self._kept(db)
        if kept is None:
            kept = await self._ask(db, einfo.read_info)
        return kept.info

    async def infos(self, before: Callable[[int], None] | None = None) -> dict[str, DbInfo | None]:
        """Name → what the server tells, for all databases that it lists.

        Args:
            before: told of how many databases the server is about to be asked, if of any.

        Raises:
            RequestFailed, Refused: the server does not tell; what it told is kept.
        """
        names = await self.databases()
        missing = sum(self._kept(name) is None for name in names)
        if before is not None and missing:
            before(missing)
        return dict(zip(names, await together(map(self.info, names)), strict=True))

    async def _ask(self, db: str, read: Callable[[bytes], list[str] | DbInfo | None]) -> _Kept:
        asked = {"retmode": "json", "db": db or None}
        found = await self._client.call(einfo.PATH, asked, read, self._attempts)
        databases = (
            [name for name in found if _NAME.fullmatch(name)] if isinstance(found, list) else []
        )
        if not db and not databases:
            raise RequestFailed(Fault.BODY, "EInfo lists no databases")
        info = found if isinstance(found, DbInfo) else None
        kept = _Kept(_VERSION, self._client.base_url, db, self._now(), databases, info)
        await asyncio.to_thread(self._keep, kept)
        return kept

    def _path(self, db: str) -> Path:
        told = "\0".join((self._client.base_url, db))
        return self._folder / f"{hashlib.sha256(told.encode()).hexdigest()[:32]}.json"

    def _kept(self, db: str) -> _Kept | None:
        try:
            kept = _FORM.validate_json(self._path(db).read_bytes())
        except (OSError, ValueError):
            return None
        same = (kept.version, kept.server, kept.db) == (_VERSION, self._client.base_url, db)
        usable = same and bool(db or kept.databases)
        return kept if usable and 0 <= self._now() - kept.at < DAY else None

    def _keep(self, kept: _Kept) -> None:
        text = _FORM.dump_json(kept).decode()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            durable.write_text(self._path(kept.db), text)
        except OSError:
            return  # it is asked again next time


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """The results of all, in their order; the first failure ends the others, and is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
