"""Run one client once in this process: `python -m benchmarks.conformance.ask CLIENT URL FILE`.

Reads UIDs from stdin; writes the outcome to FILE as JSON, or the exception that ended the client.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from importlib import import_module
from pathlib import Path


def main() -> None:
    name, url, path = sys.argv[1:]
    client = import_module(f"benchmarks.conformance.clients.{name}")
    uids = sys.stdin.read().split()
    try:
        told = asdict(client.ask(url, uids))
    except BaseException as error:
        told = {"raised": type(error).__name__}
        raise
    finally:
        Path(path).write_text(json.dumps(told))


if __name__ == "__main__":
    main()
