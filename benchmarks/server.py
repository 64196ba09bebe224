"""A cheap server: ELink responses joined from pieces made beforehand.

`python -m benchmarks.server` prints its base URL and serves until it is stopped. It implements only
the part of ELink that the benchmarks use: each UID has the links of `Answers`, in JSON and XML.
Links of comma-joined UIDs are merged, as NCBI does. `GET /answered` returns when the requests so
far were answered, by the server's clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast
from urllib.parse import unquote
from urllib.request import urlopen

import numpy as np
import uvloop

from benchmarks.answers import Answers

if TYPE_CHECKING:
    from collections.abc import Iterator

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_IDS = re.compile(r"(?:^|[&?])id=([\d,]*)")


class _Connection(asyncio.Protocol):
    """A minimal HTTP/1.1 protocol: sequential requests with Content-Length."""

    def __init__(self, answers: Answers, latency: Latency, answered: list[float]) -> None:
        self._answers = answers
        self._latency = latency
        self._answered = answered
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, rest = self._received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        wanted = int(length[1]) if length else 0
        if not end or len(rest) < wanted:
            return
        self._received = rest[wanted:]
        target = head.split(b" ", 2)[1].decode()
        if target == "/answered":
            self._write(json.dumps(self._answered).encode(), b"application/json")
            return
        form = unquote(f"{target}&{rest[:wanted].decode()}")
        asyncio.get_running_loop().call_later(self._latency(), self._answer, form)

    def _answer(self, form: str) -> None:
        values, xml = _IDS.findall(form), "retmode=json" not in form
        uids = [int(uid) for ids in values for uid in ids.split(",") if uid]
        if len(uids) > len(values):
            body = self._answers.merged(uids, xml=xml)
        else:
            body = self._answers(uids, xml=xml, scores="_score" in form)
        self._write(body, b"text/xml; charset=UTF-8" if xml else b"application/json")
        self._answered.append(asyncio.get_running_loop().time())

    def _write(self, body: bytes, kind: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
        if not self._transport.is_closing():
            self._transport.write(head % (kind, len(body)) + body)


class Latency:
    """Return a log-normal latency in seconds around a median; 0 for a median of 0."""

    def __init__(self, median: float) -> None:
        self._median = median
        self._rng = np.random.default_rng(1)

    def __call__(self) -> float:
        return self._median and float(self._median * self._rng.lognormal(0.0, 0.1))


async def serve(answers: Answers, latency: Latency) -> None:
    answered: list[float] = []
    server = await asyncio.get_running_loop().create_server(
        lambda: _Connection(answers, latency, answered), "127.0.0.1", 0
    )
    host, port = server.sockets[0].getsockname()
    print(f"http://{host}:{port}/entrez/eutils/", flush=True)
    await server.serve_forever()


@contextmanager
def serving(links: float, latency: float = 0.0) -> Iterator[str]:
    """Run a server in its own process; yield its base URL.

    Args:
        links: of each UID, in the mean.
        latency: seconds per response takes, as a median.
    """
    with announced("benchmarks.server", f"--links={links}", f"--latency={latency}") as url:
        yield url


@contextmanager
def announced(module: str, *arguments: str) -> Iterator[str]:
    """Run a Python module as a server in its own process; yield its first line, the base URL."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def answered(url: str) -> list[float]:
    """Return the time of each response, in seconds of the server's clock."""
    with urlopen(f"{url.partition('/entrez')[0]}/answered") as stream:
        times: list[float] = json.load(stream)
        return times


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--links", type=float, default=150)
    parser.add_argument("--latency", type=float, default=0.0)
    args = parser.parse_args()
    uvloop.run(serve(Answers(args.links), Latency(args.latency)))


if __name__ == "__main__":
    main()
