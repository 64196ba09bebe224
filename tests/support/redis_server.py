"""A Redis for one test, which can be killed and restarted."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

SETTLING_SECONDS = 4.2
"""Time after its start from which a Redis is believed; see `SETTLED_SECONDS` of the limiter."""


def require_redis() -> None:
    """Skip the test if there is no Redis, or no client for it."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (Debian: apt-get install redis-server)")
    if find_spec("throttled") is None:
        pytest.skip("the extra redis is not installed")


class RedisServer:
    """A process of redis-server without persistence, with a constant port.

    Args:
        folder: its working folder.
        options: more of its options.
        host: address to listen on.
        prefix: command that runs it, such as `ip netns exec NAME`.
    """

    def __init__(
        self,
        folder: Path,
        options: Sequence[str] = (),
        host: str = "127.0.0.1",
        prefix: Sequence[str] = (),
    ) -> None:
        self._folder, self._options, self._prefix = folder, options, prefix
        self.host, self.port = host, 6379
        if not prefix:
            with socket.socket() as free:
                free.bind((host, 0))
                self.port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://{self.host}:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._process = subprocess.Popen(
            [
                *self._prefix, "redis-server", "--port", str(self.port), "--bind", self.host,
                "--save", "", "--appendonly", "no", "--dir", str(self._folder),
                "--protected-mode", "no", *self._options,
            ],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"Ready to accept connections" in line:
                return
        raise AssertionError("redis-server did not start")

    def kill(self) -> None:
        """Kill it; its count is lost."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def settle(self) -> None:
        """Wait until limiters trust it after a start."""
        time.sleep(SETTLING_SECONDS)


@contextmanager
def redis_server(folder: Path, *options: str) -> Iterator[RedisServer]:
    """Run a Redis on loopback."""
    require_redis()
    server = RedisServer(folder, options)
    server.start()
    try:
        yield server
    finally:
        server.kill()
