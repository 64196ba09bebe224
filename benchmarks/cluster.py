"""Half a million UIDs with Redis, an object store and Dask, while processes are killed.

`python -m benchmarks.cluster` runs one harvest into an S3 server, on a Dask cluster of three
workers under the rate limit of a Redis, against an emulator with faults at 5 %. A worker is killed
every ten seconds, the scheduler once. The result is compared with the emulator's graph row by row,
and the server's log shows the busiest second. Needs redis-server and the extras for development.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.soak import FIRST, RATE, busiest_second, check_exact, emulator

UIDS = 500_000
BATCH = 200
WORKERS = 3
KILL_SECONDS = 10.0
PLACE = "s3://harvests/scale"
_LINK = ["--dbfrom=pubmed", "--db=pmc", "--linkname=pubmed_pmc"]


def main() -> None:
    """Run the harvest, then print the result."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
    from support.dask_cluster import cluster  # noqa: PLC0415
    from support.harness import environment  # noqa: PLC0415
    from support.object_store import download, login, s3_server  # noqa: PLC0415
    from support.redis_server import redis_server  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ids, log = folder / "ids.txt", folder / "log.jsonl"
        ids.write_text("\n".join(map(str, range(FIRST, FIRST + UIDS))))
        begun = time.monotonic()
        with emulator(log) as url, s3_server() as s3, redis_server(folder) as redis:
            env = login(s3, folder / "cache")
            with cluster(folder, WORKERS, env) as made:
                words = ["run", "--ids", str(ids), *_LINK, f"--base-url={url}", f"--rate={RATE}"]
                words += [f"--batch-size={BATCH}", "--timeout=5", "--limiter", redis.url, "-q"]
                words += ["--runner=dask", "--scheduler", made.address, "-o", PLACE]
                killed, resumed = _run(words, environment(**env), made)
            links = check_exact(download(s3, PLACE, folder / "laid"), UIDS)
        most, requests = busiest_second(log)
    print(
        f"{UIDS:,} UIDs, {links:,} links, exact; {killed} workers and 1 scheduler killed, "
        f"{resumed} times resumed; {requests:,} requests, at most {most} in a second where {RATE} "
        f"are permitted; {time.monotonic() - begun:.0f} s"
    )
    if most > RATE:
        raise SystemExit("more requests than permitted")


def _run(words: list[str], env: dict[str, str], made: Any) -> tuple[int, int]:
    """Run the command until it completes, killing workers, and the scheduler once."""
    killed = resumed = 0
    scheduler_lives = True
    while True:
        run = subprocess.Popen([sys.executable, "-m", "harvester", *words], env=env)
        while True:
            try:
                code = run.wait(KILL_SECONDS)
            except subprocess.TimeoutExpired:
                if killed == 2 and scheduler_lives:
                    scheduler_lives = False
                    made.kill_scheduler()
                    continue
                made.kill_worker()
                made.start_worker()
                killed += 1
                continue
            break
        if code == 0:
            return killed, resumed
        if code != 1 or resumed:
            raise SystemExit(f"the harvest ended with exit code {code}")
        resumed += 1
        made.start_scheduler()
        for _ in range(WORKERS):
            made.start_worker()


if __name__ == "__main__":
    main()
