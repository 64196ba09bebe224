"""From the command to the first request: a small list, a large one, and a resumed folder.

Measures wall time in seconds from the start of the process until the server has the first request;
and of `status` and `--help` until they end. The server answers at once and accepts any batch size.
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from benchmarks.answers import FEW
from benchmarks.measure import Row
from benchmarks.server import answered, serving

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SMALL, LARGE = 1_000, 10_000_000
DONE = 0.99
"""Share of the UIDs at which the harvest is killed before it is resumed."""

REPEATS = 5
_HARVESTER = [sys.executable, "-m", "harvester"]


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as scratch, serving(FEW) as url:
        home = Path(scratch)
        env = os.environ | {"HOME": scratch, "XDG_STATE_HOME": f"{scratch}/state"}
        for count in (SMALL, LARGE):
            _write_list(home / "ids.txt", count)
            runs = [_run(url, home, f"{count}-{at}") for at in range(3)]
            taken = [_first_request(command, env, url) for command in runs]
            yield Row(f"first request, {count:,} UIDs", statistics.median(taken), "s")
        _write_list(home / "ids.txt", int(DONE * LARGE))
        subprocess.run(_run(url, home, "late"), env=env, check=True)
        _write_list(home / "ids.txt", LARGE)
        _first_request([*_run(url, home, "late"), "--rate", "1"], env, url, signal.SIGKILL)
        yield Row("status, 10 million UIDs, 99 % done", _wall(["status", "late"], env, home), "s")
        resumed = _first_request([*_HARVESTER, "resume", str(home / "late"), "-q"], env, url)
        yield Row("first request of resume, 10 million UIDs, 99 % done", resumed, "s")
        yield Row("--help", _wall(["--help"], env, home), "s")


def _write_list(path: Path, count: int) -> None:
    options = pacsv.WriteOptions(include_header=False)
    pacsv.write_csv(pa.table({"pmid": np.arange(1, count + 1)}), path, options)


def _run(url: str, home: Path, out: str) -> list[str]:
    command = [*_HARVESTER, "run", "--ids", str(home / "ids.txt"), "--dbfrom", "pubmed"]
    command += ["--db", "pmc", "--linkname", "pubmed_pmc", "--base-url", url, "-q"]
    return [*command, "--rate", "1000", "--batch-size", "5000", "-o", str(home / out)]


def _first_request(
    command: list[str], env: Mapping[str, str], url: str, end: signal.Signals = signal.SIGINT
) -> float:
    """Return the seconds until the server has answered one more request."""
    before, begun = len(answered(url)), time.monotonic()
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        while len(answered(url)) == before:
            ended = process.poll() is not None
            time.sleep(0.005)
            assert not ended or len(answered(url)) > before, "it ended without a request"
        taken = time.monotonic() - begun
        process.send_signal(end)
    return taken


def _wall(arguments: list[str], env: Mapping[str, str], home: Path) -> float:
    """Return the median seconds of a command."""
    taken = []
    for _ in range(REPEATS):
        begun = time.monotonic()
        command = [*_HARVESTER, *arguments]
        subprocess.run(command, env=env, cwd=home, stdout=subprocess.PIPE, check=True)
        taken.append(time.monotonic() - begun)
    return statistics.median(taken)
