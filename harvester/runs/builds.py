"""Builds of databases, from EInfo, for the manifest of a harvest."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harvester.client.catalogue import Catalogue
from harvester.errors import HarvestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harvester.client.client import Client

BUILD_SECONDS = 5.0
"""Seconds for all requests to EInfo. A signal must end the run within 10 s, and a small harvest
should not wait long for optional data."""


async def database_builds(client: Client, databases: Iterable[str]) -> dict[str, str]:
    """Return database → build of its index.

    One request per database; answers of the last day come from the cache. Databases without an
    answer in time are left out: the harvest does not fail because of them.

    Args:
        client: sends the requests.
        databases: names, the most important first; `all` is none.
    """
    catalogue, builds = Catalogue(client, attempts=1), dict[str, str]()

    async def ask(name: str) -> None:
        try:
            info = await catalogue.info(name)
        except HarvestError:
            return
        if info is not None and info.build:
            builds[name] = info.build

    names = [name for name in databases if name != "all"]
    try:
        async with asyncio.timeout(BUILD_SECONDS), asyncio.TaskGroup() as tasks:
            for name in names:
                tasks.create_task(ask(name))
    except TimeoutError:
        pass
    return {name: builds[name] for name in names if name in builds}
