"""Serve the report of a harvest on this machine, while a job runs."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import orjson
from aiohttp import web

from harvester.errors import BadInput, FolderError
from harvester.report.extra import check_extra
from harvester.report.gather import gather
from harvester.report.page import render

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttp.typedefs import Handler

    from harvester.report.facts import Report

HOST = "127.0.0.1"

EVERY_SECONDS = 5
"""Seconds between updates of an open page."""

_FRESH_SHARE = 0.2
"""Maximum share of the time for making pages: a slow page is kept longer."""

_OLDEST_SECONDS = 10.0
"""Seconds after which a page is always remade."""

_MOST_LINKS = 5_000_000
"""Number of links up to which all files are read for each page: about 1 s."""

_TRIES = 3
"""Attempts to read a folder while a run may merge files."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class LiveReport:
    """The report of a folder, remade on request once the last one is too old.

    Args:
        folder: folder of a harvest or a chain.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = asyncio.Lock()
        self._old_at = 0.0
        self._page, self._data = "", b""

    async def page(self) -> str:
        """Return the page."""
        await self._update()
        return self._page

    async def data(self) -> bytes:
        """Return the object of `report.json`."""
        await self._update()
        return self._data

    async def _update(self) -> None:
        async with self._lock:
            if time.monotonic() < self._old_at:
                return
            begun = time.monotonic()
            self._page, self._data = await asyncio.to_thread(self._made)
            ended = time.monotonic()
            rest = (ended - begun) * (1 / _FRESH_SHARE - 1)
            self._old_at = ended + min(max(1.0, rest), _OLDEST_SECONDS)

    def _made(self) -> tuple[str, bytes]:
        report = read(self._folder)
        return render(report, every=EVERY_SECONDS), orjson.dumps(report)


def read(folder: Path) -> Report:
    """Return what the report of a folder says that a run may be changing.

    Raises:
        FolderError: it is damaged.
    """
    for left in reversed(range(_TRIES)):
        quick = gather(folder, read_links=False)
        if quick.links > _MOST_LINKS:
            return quick
        try:
            return gather(folder)
        except FolderError:  # a run has merged files meanwhile
            if not left:
                return quick
    raise AssertionError


@asynccontextmanager
async def serving(folder: Path, port: int = 0) -> AsyncIterator[str]:
    """Serve the report of a folder while the context lasts, to this machine alone.

    Args:
        folder: folder of a harvest or a chain.
        port: port to listen on; 0 for any free one.

    Yields:
        URL of the page.

    Raises:
        BadInput: the folder holds no harvest, the port cannot be used, or the packages of the
            extra `report` are not installed.
        FolderError: the folder is damaged.
    """
    check_extra()
    gather(folder, read_links=False)
    live = LiveReport(folder)
    hosts: set[str] = set()

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse requests for other hosts: a web page could have its name lead here."""
        if request.headers.get("Host", "") not in hosts:
            raise web.HTTPForbidden(text="This server answers for this machine only.\n")
        return await handler(request)

    async def page(_: web.Request) -> web.Response:
        text = await live.page()
        return web.Response(text=text, content_type="text/html", headers=_HEADERS)

    async def data(_: web.Request) -> web.Response:
        return web.Response(
            body=await live.data(), content_type="application/json", headers=_HEADERS
        )

    app = web.Application(middlewares=[check])
    app.add_routes([web.get("/", page), web.get("/report.json", data)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise BadInput(f"The page cannot be served at {HOST}:{port}: {reason}.") from None
        found = runner.addresses[0][1]
        hosts.update(f"{name}:{found}" for name in (HOST, "localhost"))
        yield f"http://{HOST}:{found}/"
    finally:
        await runner.cleanup()
