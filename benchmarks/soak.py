"""Two million UIDs, faults at 5 %, a `kill -9` every few seconds: a night in minutes.

Two harvests of the same list from one emulator. The first is killed repeatedly. The second runs
undisturbed while memory, open files and requests are recorded at each tenth of the work. Both
results are compared with the emulator's graph row by row; the server's log shows the busiest
second.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.server import announced
from harvester.emulator import SeededGraph
from harvester.emulator.faults import NAMES
from harvester.emulator.graph.truth import truth

if TYPE_CHECKING:
    from collections.abc import Iterator

UIDS = 2_000_000
FIRST = 20_000_000
RATE = 50
BATCH = 1_000
KILLED_AFTER = (2.0, 7.0)
FAULTS = 0.05
"""Probability of each request to get one of the detectable, temporary faults."""

_LEFT_OUT = {
    "bad-key": "ends a run, when it comes four times in a row",
    "poison": "does not heal",
    "lost-leading": "cannot be noticed",
    "lost-blocks": "cannot be noticed",
    "expired-webenv": "befalls jobs from the History server alone",
}
GROWTH = 1.15
"""Of memory from the third tenth to the ninth; what is more is a leak. (In the end small parts
are merged, which takes some memory of its own.)"""

_LINK = ["--dbfrom=pubmed", "--db=pmc", "--linkname=pubmed_pmc"]


@dataclass(frozen=True)
class Look:
    """Snapshot of a running harvest: MiB of memory, open files, and its `status`."""

    rss: float
    files: int
    uids: int
    links: int
    requests: int
    refused: int


@contextmanager
def emulator(log: Path) -> Iterator[str]:
    """Run an emulator with a limit, faults and low latency; yield its base URL."""
    names = [name for name in NAMES if name not in _LEFT_OUT]
    faults = [f"--fault={name}:{FAULTS / len(names)}" for name in names]
    limits = ["--port=0", f"--rate={RATE}", "--latency=0.02,0.1,0.4", f"--log={log}"]
    with announced("harvester", "emulate", *limits, *faults) as url:
        yield url


def harvester(ids: Path, url: str, out: Path) -> subprocess.Popen[bytes]:
    """Start the program on the whole list."""
    command = [sys.executable, "-m", "harvester", "run", "--ids", str(ids), *_LINK, "-q"]
    command += [f"--base-url={url}", f"--rate={RATE}", f"--batch-size={BATCH}", "--timeout=5"]
    return subprocess.Popen([*command, "-o", str(out)])


def look(process: subprocess.Popen[bytes], out: Path) -> Look | None:
    """Return a snapshot; None before the folder exists and after the end."""
    proc = Path(f"/proc/{process.pid}")
    said = subprocess.run(
        [sys.executable, "-m", "harvester", "status", "--json", str(out)],
        capture_output=True,
        check=False,
    )
    if said.returncode:
        return None
    try:
        rss = next(
            int(line.split()[1]) / 1024
            for line in (proc / "status").read_text().splitlines()
            if line.startswith("VmRSS")
        )
        files = len(list((proc / "fd").iterdir()))
    except (OSError, StopIteration):
        return None
    found: dict[str, Any] = json.loads(said.stdout)
    requests = found["requests"]
    done = found["uids"]["done"]
    return Look(rss, files, done, found["links"], requests["sent"], requests["rate_limited"])


def harvest_killed(ids: Path, url: str, out: Path) -> int:
    """Run and kill a harvest at random times until it completes; return the number of kills."""
    chooser, deaths = random.Random(1), 0
    while True:
        process = harvester(ids, url, out)
        try:
            code = process.wait(chooser.uniform(*KILLED_AFTER))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            deaths += 1
            continue
        if code:
            raise SystemExit(f"the harvest ended with exit code {code}")
        return deaths


def harvest_watched(ids: Path, url: str, out: Path) -> list[Look]:
    """Run a harvest undisturbed; return a snapshot at each tenth of the work."""
    process = harvester(ids, url, out)
    looks: list[Look] = []
    while process.poll() is None:
        seen = look(process, out)
        if seen and seen.uids >= UIDS * (len(looks) + 1) / 10:
            looks.append(seen)
        time.sleep(0.5)
    if process.returncode:
        raise SystemExit(f"the harvest ended with exit code {process.returncode}")
    return looks


def check_exact(out: Path, count: int = UIDS) -> int:
    """Compare the links and UIDs of a folder with the graph; return the number of links."""
    links = pq.read_table(out / "links", columns=["from_uid", "to_uid"])
    rows = pq.read_table(out / "uids", columns=["from_uid", "outcome", "links"])
    uids = np.arange(FIRST, FIRST + count)
    expected = truth(SeededGraph(), "pubmed", uids.tolist(), ("pmc",), ("pubmed_pmc",))
    order = [("from_uid", "ascending"), ("to_uid", "ascending")]
    if not links.sort_by(order).equals(expected.select(links.column_names).sort_by(order)):
        raise SystemExit(f"{out.name}: the links are not those of the graph")
    sources = expected["from_uid"].to_numpy()
    counts = np.bincount(sources - FIRST, minlength=count)
    rows = rows.sort_by("from_uid")
    answered = set(rows["outcome"].unique().to_pylist()) <= {"linked", "empty"}
    if not (
        answered
        and np.array_equal(rows["from_uid"].to_numpy(), uids)
        and np.array_equal(rows["links"].to_numpy(), counts)
    ):
        raise SystemExit(f"{out.name}: the outcomes are not those of the graph")
    return int(links.num_rows)


def busiest_second(log: Path) -> tuple[int, int]:
    """Return the most requests within any second at the server, and the total."""
    times = sorted(json.loads(line)["arrived"] for line in log.read_text().splitlines())
    ends = np.searchsorted(times, np.array(times) + 1.0)
    return int((ends - np.arange(len(times))).max()), len(times)


def check_constant(looks: list[Look]) -> None:
    """Print the snapshots; check that memory and files do not grow.

    The last is taken when all is answered and small parts are merged, which holds some row groups.
    """
    print("tenth      UIDs      links   MiB  files  requests  over the limit")
    for tenth, one in enumerate(looks, 1):
        print(
            f"{tenth:5} {one.uids:9,} {one.links:10,} {one.rss:5.0f} {one.files:6} "
            f"{one.requests:9,} {one.refused:15,}"
        )
    early, late = looks[2:5], looks[5:8]
    for name in ("rss", "files"):
        before, after = (max(getattr(one, name) for one in some) for some in (early, late))
        if after > before * GROWTH:
            raise SystemExit(f"{name} grew from {before:.0f} to {after:.0f}")


def main() -> None:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids, log = folder / "ids.txt", folder / "log.jsonl"
        ids.write_text("\n".join(map(str, range(FIRST, FIRST + UIDS))))
        with emulator(log) as url:
            deaths = harvest_killed(ids, url, folder / "killed")
            looks = harvest_watched(ids, url, folder / "watched")
        links = [check_exact(folder / name) for name in ("killed", "watched")]
        most, requests = busiest_second(log)
        check_constant(looks)
    print(
        f"2 times {UIDS:,} UIDs, {sum(links):,} links, {deaths} deaths, faults at {FAULTS:.0%}: "
        "exact. "
        f"{requests:,} requests, at most {most} in a second where {RATE} are permitted; "
        f"{time.monotonic() - begun:.0f} s in all."
    )


if __name__ == "__main__":
    main()
