"""Run one client in this process: `python -m benchmarks.clients CLIENT URL DB UIDS TOLD`.

UIDS is a file. The links go to the file TOLD as JSON, with the seconds from the first request,
start-up excluded, to the last answer, and the exception that ended the client, if any.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from importlib.metadata import version
from pathlib import Path


def main() -> None:
    name, url, db, source, told = sys.argv[1:]
    client = import_module(f"benchmarks.clients.{name}")
    uids = Path(source).read_text().split()
    pairs = merged = 0
    raised = ""
    begun = time.monotonic()
    try:
        for groups in client.harvest(url, db, uids):
            pairs += sum(len(to) for uids_from, to in groups if len(uids_from) == 1)
            merged += sum(len(to) for uids_from, to in groups if len(uids_from) > 1)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - how a client ends is its result
        raised = f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - begun
    known = client.version() if hasattr(client, "version") else version(client.DISTRIBUTION)
    result = {"version": known, "pairs": pairs, "merged": merged, "seconds": seconds}
    Path(told).write_text(json.dumps(result | {"raised": raised}))


if __name__ == "__main__":
    main()
