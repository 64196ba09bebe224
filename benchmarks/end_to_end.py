"""A whole harvest over a socket, against an emulator in another process.

Measures the CPU seconds of the harvesting process alone, start-up excluded: asking, decoding,
reconciling, writing and committing. Does not measure NCBI's own time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harvester import Job, Result, run

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKLOADS: dict[str, tuple[dict[str, Any], int]] = {
    "pubmed to pmc, few links": ({"db": "pmc", "linkname": "pubmed_pmc"}, 40_000),
    "related articles, 150 a UID": ({"db": "pubmed", "linkname": "pubmed_pubmed"}, 20_000),
    "the same with scores": (
        {"db": "pubmed", "linkname": "pubmed_pubmed", "cmd": "neighbor_score"},
        20_000,
    ),
}


@contextmanager
def emulator() -> Iterator[str]:
    """An emulator without limits in a process of its own; its base URL."""
    command = [sys.executable, "-m", "harvester", "emulate", "--port", "0", "--no-limit"]
    command += ["--links-per-uid", "150", "--no-gzip"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def harvest_once(url: str, link: dict[str, Any], form: str, uids: int) -> tuple[Result, float]:
    """The result and the CPU seconds of one harvest."""
    with tempfile.TemporaryDirectory() as scratch:
        ids = Path(scratch) / "ids.txt"
        ids.write_text("\n".join(map(str, range(20_000_000, 20_000_000 + uids))))
        job = Job.model_validate(
            {
                "link": {"dbfrom": "pubmed", **link},
                "source": {"ids": str(ids)},
                "output": {"path": f"{scratch}/out", "format": form},
                "limits": {"rate": 1000, "batch_size": 200, "concurrency": 8},
                "server": {"base_url": url},
            }
        )
        begun = time.process_time()
        result = run(job)
        return result, time.process_time() - begun


def main() -> None:
    with emulator() as url:
        harvest_once(url, WORKLOADS["pubmed to pmc, few links"][0], "parquet", 200)  # imports
        for name, (link, uids) in WORKLOADS.items():
            for form in ("parquet", "jsonl"):
                result, cpu = harvest_once(url, link, form, uids)
                assert result.state == "complete"
                assert result.total == uids
                assert result.links >= uids * (150 if "pmc" not in name else 0)
                print(
                    f"{name + ', ' + form:<40} {result.links / cpu:12,.0f} links "
                    f"{uids / cpu:10,.0f} UIDs per CPU-second"
                )


if __name__ == "__main__":
    main()
