"""This program: `harvester run` into a folder, which is then read."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from benchmarks.conformance.outcome import DB, DBFROM, LINKNAME, Outcome


def version() -> str:
    command = [sys.executable, "-m", "harvester", "--version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]


def ask(base_url: str, uids: list[str]) -> Outcome:
    Path("uids.txt").write_text("\n".join(uids))
    command = [sys.executable, "-m", "harvester", "run", "--ids", "uids.txt", "-o", "out"]
    command += ["--dbfrom", DBFROM, "--db", DB, "--linkname", LINKNAME]
    command += ["--format", "jsonl", "--base-url", base_url]
    code = subprocess.run(command, check=False).returncode
    links = defaultdict(list)
    for part in sorted(Path("out/links").glob("part-*")):
        for row in map(json.loads, part.read_text().splitlines()):
            links[str(row["from_uid"])].append(str(row["to_uid"]))
    unanswered = Path("out/unanswered.txt")
    return Outcome(
        groups=[([uid], to) for uid, to in links.items()],
        failure=f"exit {code}" if code else "",
        named=unanswered.read_text().split() if unanswered.exists() else [],
    )
