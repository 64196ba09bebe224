"""The emulator as a server: listening, its outages, its end."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

from aiohttp import web

from harvester.emulator.config import EmulatorConfig
from harvester.emulator.faults.wire import abort
from harvester.emulator.graph import SeededGraph, TableGraph
from harvester.emulator.handler import Handler
from harvester.emulator.history import History
from harvester.emulator.log import RequestLog
from harvester.emulator.utilities.world import World

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from harvester.emulator.graph import Graph

PATH = "/entrez/eutils/"
"""Where NCBI's utilities lie; any folder is answered."""

_LINE = 1 << 20
"""Longest request line read: long enough to be answered 414 and not cut off."""


class Emulator:
    """An E-utilities server, up within `async with`.

    Args:
        config: settings; by default those of `EmulatorConfig`.

    Attributes:
        graph: what is served; truth is computed from it.
        log: every request seen.
        history: the History server.
    """

    def __init__(self, config: EmulatorConfig | None = None) -> None:
        self.config = config or EmulatorConfig()
        self.graph = _graph(self.config)
        self.history = History(self.config.history_life)
        self.log = RequestLog(self.config.log)
        world = World(self.graph, self.history, self.config.history_limit)
        self._handler = Handler(self.config, world, self.log)
        self._port = self.config.port
        self._server: web.Server | None = None
        self._runner: web.ServerRunner | None = None
        self._restarts: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._server = web.Server(
            self._handler,
            handler_cancellation=True,
            keepalive_timeout=self.config.keepalive_timeout,
            access_log=None,
            max_line_size=_LINE,
            max_field_size=_LINE,
        )
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
        await self._runner.setup()
        await self._listen()
        if self.config.restart is not None:
            self._restarts = asyncio.create_task(self._restart(*self.config.restart))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._handler.closing = True
        if self._restarts is not None:
            self._restarts.cancel()
            await asyncio.wait([self._restarts])
        if self._runner is not None:
            await self._runner.cleanup()
        self._handler.workers.close()
        self.log.close()

    @property
    def port(self) -> int:
        """The port listened on."""
        return self._port

    @property
    def base_url(self) -> str:
        """The address of the eutils folder, with its slash."""
        return f"http://{self.config.host}:{self._port}{PATH}"

    @contextlib.asynccontextmanager
    async def outage(self, kind: int | str = 503) -> AsyncIterator[None]:
        """A service that is down within `async with`.

        Args:
            kind: what requests meet: a status (502, 503, 504), `reset`, `hang`, or `refused`,
                for which nothing listens and open connections are cut.
        """
        await self.fail(kind)
        try:
            yield
        finally:
            await self.recover()

    async def fail(self, kind: int | str = 503) -> None:
        """Begin an outage (see `outage`)."""
        if kind != "refused":
            self._handler.outage = kind
            return
        if self._runner is None or self._server is None:
            return
        for site in self._runner.sites:
            await site.stop()
        for connection in self._server.connections:
            abort(connection.transport)

    async def recover(self) -> None:
        """End an outage."""
        self._handler.outage = None
        if self._runner is not None and not self._runner.sites:
            await self._listen()

    async def _restart(self, every: float, down: float) -> None:
        """Restart every `every` seconds: lose all requests and refuse connections for a while."""
        up = every
        while True:
            await asyncio.sleep(up)
            up = every - down
            self._handler.workers.lose_all("restart")
            await self.fail("refused")
            await asyncio.sleep(down)
            await self.recover()

    async def _listen(self) -> None:
        if self._runner is None:
            return
        site = web.TCPSite(self._runner, self.config.host, self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]


async def serve(config: EmulatorConfig, on_ready: Callable[[Emulator], None] | None = None) -> None:
    """Serve until cancelled.

    Args:
        config: settings.
        on_ready: called once the server listens.
    """
    async with Emulator(config) as server:
        if on_ready is not None:
            on_ready(server)
        await asyncio.Event().wait()


def _graph(config: EmulatorConfig) -> Graph:
    if config.graph is not None:
        return config.graph
    if config.links is not None:
        return TableGraph.read(config.links)
    return SeededGraph(config.seed, config.links_per_uid)
