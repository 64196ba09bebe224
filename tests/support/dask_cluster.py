"""A Dask scheduler and its workers, each a process that can be killed."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from support.harness import environment, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Cluster:
    """Starts and kills the processes of a cluster.

    Args:
        folder: for their files.
        env: more environment of its processes.
    """

    def __init__(self, folder: Path, env: Mapping[str, str] = MappingProxyType({})) -> None:
        self.folder = folder
        self.address = ""
        self._file = folder / "scheduler.json"
        self._env = environment(**env)
        del self._env["PYTHONWARNINGS"]  # those of Dask are not ours
        self._scheduler: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_scheduler(self) -> None:
        """Start the scheduler, at its old address if it had one."""
        self._file.unlink(missing_ok=True)
        port = self.address.rpartition(":")[2] or "0"
        self._scheduler = self._start(
            "dask_scheduler", "--port", port, "--host", "127.0.0.1", "--no-dashboard",
            "--scheduler-file", self._file,
        )  # fmt: skip
        wait_until(self._is_up, "the scheduler is up")
        self.address = json.loads(self._file.read_text())["address"]

    def start_worker(self) -> None:
        """Start one more worker."""
        self.workers.append(
            self._start(
                "dask_worker", self.address, "--nthreads", "1", "--no-dashboard", "--no-nanny",
                "--local-directory", self.folder / "scratch", "--death-timeout", "60",
            )
        )  # fmt: skip

    def kill_worker(self) -> None:
        """Kill the oldest worker."""
        worker = self.workers.pop(0)
        worker.kill()
        worker.wait()

    def kill_scheduler(self) -> None:
        """Kill the scheduler."""
        assert self._scheduler is not None
        self._scheduler.kill()
        self._scheduler.wait()

    def end(self) -> None:
        """Kill all processes."""
        for process in [*self.workers, *([self._scheduler] if self._scheduler else [])]:
            process.kill()
            process.wait()

    def _is_up(self) -> bool:
        try:
            return bool(json.loads(self._file.read_text())["address"])
        except (OSError, ValueError):
            return False

    def _start(self, module: str, *options: Any) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", f"distributed.cli.{module}", *map(str, options)]
        return subprocess.Popen(
            words, env=self._env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )


@contextmanager
def cluster(
    folder: Path, workers: int, env: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Cluster]:
    """A scheduler with some workers."""
    made = Cluster(folder, env)
    try:
        made.start_scheduler()
        for _ in range(workers):
            made.start_worker()
        yield made
    finally:
        made.end()
