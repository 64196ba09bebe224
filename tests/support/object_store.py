"""An S3 server on loopback behind a proxy that counts writes and can act at one of them."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import aiohttp
import obstore
import pytest
from aiohttp import web

from support.harness import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WRITES = ("PUT", "POST", "DELETE")
BUCKET = "harvests"


def _is_up(url: str) -> bool:
    try:
        with urlopen(url, timeout=60):
            return True
    except OSError:
        return False


@contextmanager
def s3_server() -> Iterator[str]:
    """Run Ministack's S3, which has atomic conditional puts; yield its address."""
    pytest.importorskip("ministack", reason="ministack, an S3 server, is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "hypercorn", "ministack.app:app", "-b", f"127.0.0.1:{port}"]
    with subprocess.Popen(
        words, env=os.environ | {"SERVICES": "s3"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until(lambda: _is_up(f"{url}/_ministack/health"), "the S3 server is up")
            with urlopen(Request(f"{url}/{BUCKET}", method="PUT"), timeout=60):
                pass
            yield url
        finally:
            process.terminate()


class Proxy:
    """Forwards requests, counts the writes, and calls a function for each."""

    def __init__(self, server: str) -> None:
        self.server = server
        self.url = ""
        self.writes = 0
        self.act: Callable[[int, bool], None] = lambda _number, _done: None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Proxy:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(30)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _start(self) -> None:
        self._session = aiohttp.ClientSession(auto_decompress=False)
        app = web.Application(client_max_size=1 << 30)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _stop(self) -> None:
        await self._session.close()
        await self._runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        writes = request.method in WRITES
        if writes:
            self.writes += 1
            number = self.writes
            self.act(number, False)
        headers = {k: v for k, v in request.headers.items() if k.lower() != "transfer-encoding"}
        async with self._session.request(
            request.method, self.server + request.raw_path, data=body, headers=headers
        ) as answer:
            content = await answer.read()
        if writes:
            self.act(number, True)
        kept = {
            k: v
            for k, v in answer.headers.items()
            if k.lower() not in ("transfer-encoding", "content-length", "content-encoding", "date")
        }
        if request.method == "HEAD":
            kept["Content-Length"] = answer.headers.get("Content-Length", "0")
        return web.Response(status=answer.status, body=content, headers=kept)


def login(url: str, cache: Path) -> dict[str, str]:
    """Return the environment of a user of the store who has no local copy."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "XDG_CACHE_HOME": str(cache),
    }


def _store(server: str, place: str) -> Any:
    return obstore.store.from_url(
        place,
        endpoint=server,
        access_key_id="test",
        secret_access_key="test",
        region="us-east-1",
        client_options={"allow_http": True},
    )


def objects(server: str, place: str) -> dict[str, int]:
    """Return name → size of the objects of a harvest, without the program's code."""
    return {
        one["path"]: one["size"] for some in obstore.list(_store(server, place)) for one in some
    }


def download(server: str, place: str, folder: Path) -> Path:
    """Rebuild a harvest's folder from its newest record and all other objects."""
    store, found = _store(server, place), objects(server, place)
    records = sorted(name for name, size in found.items() if size and name.startswith("commits/"))
    for name in [*(one for one in found if not re.search(r"\bcommits/", one)), *records[-1:]]:
        target = "state.sqlite" if name in records else name
        path = folder / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(obstore.get(store, name).bytes()))
    return folder
