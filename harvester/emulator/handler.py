"""Handle one request: count it, limit it, serve it, apply faults, send the answer."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
import weakref
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from aiohttp import web

from harvester.emulator.answering import answer
from harvester.emulator.answers import pages
from harvester.emulator.answers.answer import TEXT_TYPE, Answer
from harvester.emulator.arrival import age_of_data
from harvester.emulator.faults import NCBI_LIMITS, WIRE, fault_plan
from harvester.emulator.faults.wire import SILENT, Wire, hang, reset
from harvester.emulator.graph.mixing import key_of
from harvester.emulator.ratelimit import RateLimit
from harvester.emulator.request import UtilityRequest
from harvester.emulator.sending import build_response, headers
from harvester.emulator.service.latency import read_latency
from harvester.emulator.service.workers import QueueFullError, Workers
from harvester.emulator.utilities.table import UTILITIES

if TYPE_CHECKING:
    from harvester.emulator.config import EmulatorConfig
    from harvester.emulator.log import Entry, RequestLog
    from harvester.emulator.ratelimit import Allowance
    from harvester.emulator.utilities.backend import Backend

_PROGRAM = re.compile(r"/(\w+)\.f?cgi/?$")


@dataclass(slots=True)
class _Connection:
    number: int
    requests: int = 0


class Handler:
    """Request handler of one emulator.

    Attributes:
        outage: how every request fails at present: a status (502, 503, 504), `reset`, `hang`, or
            None if the service is up.
        workers: the pool of workers.
        closing: whether the server is being shut down.
    """

    def __init__(self, config: EmulatorConfig, backend: Backend, log: RequestLog) -> None:
        self.outage: int | str | None = None
        self.closing = False
        self.workers = Workers(log, config.workers, config.queue)
        self._config = config
        self._world = backend
        self._log = log
        limits = NCBI_LIMITS if config.rate is None else (config.rate, config.rate_with_key)
        self._plan = fault_plan(config.faults, config.seed, limits)
        self._limit = None if config.rate is None else RateLimit(*limits)
        self._latency = read_latency(config.latency)
        self._latencies = Random(key_of(config.seed, "latency"))
        self._connections: weakref.WeakKeyDictionary[asyncio.BaseTransport, _Connection] = (
            weakref.WeakKeyDictionary()
        )
        self._numbers = itertools.count(1)
        self._started = time.monotonic()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        connection = self._connection(request)
        entry = self._log.arrive(
            request.remote or "",
            connection.number,
            connection.requests,
            request.method,
            age_of_data(request.transport),
        )
        try:
            return await self._respond(request, entry)
        except asyncio.CancelledError:
            entry.gone = not self.closing and entry.fault != "restart"
            raise
        finally:
            self._log.end(entry)

    def _connection(self, request: web.BaseRequest) -> _Connection:
        transport = request.transport
        if transport is None:
            return _Connection(0, 1)
        connection = self._connections.get(transport)
        if connection is None:
            connection = self._connections[transport] = _Connection(next(self._numbers))
        connection.requests += 1
        return connection

    async def _respond(self, request: web.BaseRequest, entry: Entry) -> web.StreamResponse:
        match = _PROGRAM.search(request.path)
        utility = match[1] if match else ""
        body = await request.content.read() if request.body_exists else b""
        address = request.remote or "127.0.0.1"
        parsed = UtilityRequest.read(utility, request.rel_url.raw_query_string, body, address)
        entry.describe(parsed)
        if (outage := self._outage()) is not None:
            entry.fault = "outage"
            return await self._fail(request, entry, outage)
        allowance = self._count(parsed, entry)
        early = self._refusal(request, parsed, allowance)
        if early is not None:
            return self._send(request, entry, early, allowance)
        draws = self._plan.draw(parsed)
        seconds = self._latency.draw(self._latencies) + self._config.latency_per_uid * entry.ids
        try:
            await self.workers.serve(entry, seconds)
        except QueueFullError:
            entry.fault = "queue-full"
            return self._send(request, entry, self._beyond_queue(parsed), allowance)
        if self._config.max_uids is not None and entry.ids > self._config.max_uids:
            entry.fault = "max-uids"
            return self._send(request, entry, pages.diagnostic(), allowance)
        result, shown = answer(parsed, self._world, draws)
        entry.fault = ",".join(shown)
        for draw in draws:
            if draw.spec.name in WIRE:
                entry.fault = draw.spec.name
                if draw.spec.name not in SILENT:
                    entry.status, entry.bytes = result.status, len(result.body)
                sent_headers = self._headers(entry, result, allowance)
                wire = self._wire(request, result, sent_headers, draw.random)
                try:
                    return await WIRE[draw.spec.name](wire)
                except ConnectionResetError:  # the client has hung up
                    return web.Response()
        return self._send(request, entry, result, allowance)

    def _count(self, parsed: UtilityRequest, entry: Entry) -> Allowance | None:
        if self._limit is None:
            return None
        return self._limit.count(parsed.who, entry.arrived, has_key=parsed.has_key)

    def _refusal(
        self, request: web.BaseRequest, parsed: UtilityRequest, allowance: Allowance | None
    ) -> Answer | None:
        """Return the answer to a request that reaches no utility, or None."""
        if request.method not in {"GET", "POST", "HEAD"}:
            return Answer(b"Method Not Allowed\n", TEXT_TYPE, 405)
        if len(str(request.rel_url)) > self._config.max_uri:
            return pages.uri_too_large()
        if parsed.utility != "elink" and parsed.utility not in UTILITIES:
            return Answer(b"Not Found\n", TEXT_TYPE, 404)
        if parsed.has_key and self._config.api_keys and parsed.who not in self._config.api_keys:
            return pages.bad_key(parsed.who)
        if allowance is not None and not allowance.granted:
            return self._too_many(parsed.who, allowance.count, allowance.limit)
        return None

    def _beyond_queue(self, parsed: UtilityRequest) -> Answer:
        """Return the answer to a request that finds the queue full."""
        if self._config.queue_status != 429:
            return pages.gateway(self._config.queue_status)
        limit = NCBI_LIMITS[parsed.has_key]
        return self._too_many(parsed.who, limit + 1, limit)

    def _too_many(self, who: str, count: int, limit: int) -> Answer:
        refused = pages.rate_limit(who, count, limit)
        if self._config.retry_after is not None:
            refused.headers["Retry-After"] = str(self._config.retry_after)
        return refused

    def _outage(self) -> int | str | None:
        if self.outage is not None or self._config.outage is None:
            return self.outage
        first, last = self._config.outage
        return 503 if first <= time.monotonic() - self._started < last else None

    async def _fail(
        self, request: web.BaseRequest, entry: Entry, outage: int | str
    ) -> web.StreamResponse:
        if isinstance(outage, int):
            return self._send(request, entry, pages.gateway(outage), None)
        wire = self._wire(request, Answer(b""), {}, Random(0))
        return await (hang if outage == "hang" else reset)(wire)

    def _headers(self, entry: Entry, result: Answer, allowance: Allowance | None) -> dict[str, str]:
        left = self._config.keepalive_requests - entry.nth + 1
        return headers(result, self._config, allowance, left=left)

    def _send(
        self, request: web.BaseRequest, entry: Entry, result: Answer, allowance: Allowance | None
    ) -> web.Response:
        entry.status, entry.bytes = result.status, len(result.body)
        sent_headers = self._headers(entry, result, allowance)
        response = build_response(request, result, sent_headers, gzip=self._config.gzip)
        if entry.nth >= self._config.keepalive_requests:
            response.force_close()
        return response

    def _wire(
        self,
        request: web.BaseRequest,
        result: Answer,
        sent_headers: dict[str, str],
        random: Random,
    ) -> Wire:
        return Wire(
            request=request,
            status=result.status,
            headers=sent_headers,
            body=result.body,
            random=random,
            hang_seconds=self._config.fault_seconds,
            drip_seconds=self._config.drip_seconds,
        )
