"""EInfo's descriptions of a server's databases, cached for a day in the user's cache folder.

Each file holds one answer. Damaged, outdated or incompatible files are ignored, and so is a folder
that cannot be written: the catalogue then asks EInfo again.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from platformdirs import user_cache_path
from pydantic import TypeAdapter

from harvester.client.client import ATTEMPTS
from harvester.errors import Fault, RequestFailed
from harvester.eutils import einfo
from harvester.eutils.einfo import DbInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from pathlib import Path

    from harvester.client.client import Client

T = TypeVar("T")

DAY = 24 * 3600.0
"""Seconds for which an answer is kept."""

_VERSION = 1
"""Version of the files; others are ignored."""

_NAME = re.compile(r"\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Cached:
    """The content of a file.

    Attributes:
        version: version of this form.
        server: base URL.
        db: database that was asked about; empty for the list of databases.
        at: time of the answer, seconds since 1970.
        databases: the list of databases, if that was asked for.
        info: the answer about `db`; None, if the server does not know it.
    """

    version: int
    server: str
    db: str
    at: float
    databases: list[str]
    info: DbInfo | None


_FORM = TypeAdapter(_Cached)


class Catalogue:
    """The databases of the server that a client uses.

    Args:
        client: asks EInfo for what is not in the cache.
        folder: folder of the cache.
        now: returns seconds since 1970.
        attempts: requests per answer at most, as for `Client.call`.

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
        self._folder = folder or _cache_folder()
        self._now = now
        self._attempts = attempts

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        return f"Catalogue({self._client.base_url!r}, {str(self._folder)!r})"

    async def databases(self) -> list[str]:
        """Return the names of all databases, as the server lists them.

        Raises:
            RequestFailed, Refused: EInfo does not answer.
        """
        cached = self._load("")
        if cached is None:
            cached = await self._ask("", einfo.read_databases)
        return cached.databases

    async def info(self, db: str) -> DbInfo | None:
        """Return what EInfo says about a database; None, if it does not know the database.

        Raises:
            RequestFailed, Refused: EInfo does not answer.
        """
        cached = self._load(db)
        if cached is None:
            cached = await self._ask(db, einfo.read_info)
        return cached.info

    async def infos(self, before: Callable[[int], None] | None = None) -> dict[str, DbInfo | None]:
        """Return what EInfo says about each database that it lists, by name.

        Args:
            before: called with the number of requests to EInfo about to be sent, if there are any.

        Raises:
            RequestFailed, Refused: EInfo does not answer; the answers so far stay in the cache.
        """
        names = await self.databases()
        missing = sum(self._load(name) is None for name in names)
        if before is not None and missing:
            before(missing)
        return dict(zip(names, await together(map(self.info, names)), strict=True))

    async def _ask(self, db: str, read: Callable[[bytes], list[str] | DbInfo | None]) -> _Cached:
        asked = {"retmode": "json", "db": db or None}
        found = await self._client.call(einfo.PATH, asked, read, self._attempts)
        databases = (
            [name for name in found if _NAME.fullmatch(name)] if isinstance(found, list) else []
        )
        if not db and not databases:
            raise RequestFailed(Fault.BODY, "EInfo lists no databases")
        info = found if isinstance(found, DbInfo) else None
        cached = _Cached(_VERSION, self._client.base_url, db, self._now(), databases, info)
        await asyncio.to_thread(self._save, cached)
        return cached

    def _path(self, folder: Path, db: str) -> Path:
        identity = "\0".join((self._client.base_url, db))
        return folder / f"{hashlib.sha256(identity.encode()).hexdigest()[:32]}.json"

    def _load(self, db: str) -> _Cached | None:
        if self._folder is None:
            return None
        try:
            cached = _FORM.validate_json(self._path(self._folder, db).read_bytes())
        except (OSError, ValueError):
            return None
        same = (cached.version, cached.server, cached.db) == (_VERSION, self._client.base_url, db)
        usable = same and bool(db or cached.databases)
        return cached if usable and 0 <= self._now() - cached.at < DAY else None

    def _save(self, cached: _Cached) -> None:
        """Write a file under another name first, so that no reader sees half of it."""
        if self._folder is None:
            return
        path = self._path(self._folder, cached.db)
        new = path.with_suffix(f".{os.getpid()}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            new.write_bytes(_FORM.dump_json(cached))
            new.replace(path)
        except OSError:  # the next run asks EInfo again
            with suppress(OSError):
                new.unlink()


def _cache_folder() -> Path | None:
    """Return the user's cache folder; None for a user without a home."""
    try:
        folder = user_cache_path("elink-harvester")
    except RuntimeError:  # of platformdirs
        return None
    return folder if folder.is_absolute() else None


async def together(work: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return the results of all coroutines, in order; the first failure cancels the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    return [task.result() for task in tasks]
