"""Run the suites that install, and write how they ended as Markdown."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.conformance.client_runs import ROOT
from benchmarks.conformance.suites.reasons import REASONS
from harvester.emulator import EmulatorConfig, background

if TYPE_CHECKING:
    from collections.abc import Mapping

    Ended = Mapping[str, str | None]
    """Test → its failure, or None. Tests of R are numbered in their file."""

RENTREZ_TESTS = Path("/usr/share/doc/r-cran-rentrez/tests/testthat")
"""Tests of Debian's package r-cran-rentrez; CRAN's package is the same."""

SECONDS = 600


def biopython(python: str, version: str, base_url: str, scratch: Path) -> Ended | None:
    """Run `Tests/test_Entrez_online.py` of Biopython's sdist; None if it cannot be had."""
    command = [python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "biopython"]
    got = subprocess.run(
        [*command, "--dest", str(scratch), f"biopython=={version}"],
        capture_output=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    sdists = list(scratch.glob("biopython-*.tar.gz"))
    if got.returncode or not sdists:
        return None
    with tarfile.open(sdists[0]) as archive:
        (name,) = (one for one in archive.getnames() if one.endswith("/test_Entrez_online.py"))
        archive.extract(name, scratch, filter="data")
    module = "benchmarks.conformance.suites.biopython_online"
    ran = subprocess.run(
        [python, "-W", "ignore", "-m", module, base_url, str((scratch / name).parent)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=True, timeout=SECONDS,
    )  # fmt: skip
    ended: Ended = json.loads(ran.stdout.splitlines()[-1])
    return ended


def rentrez(base_url: str, scratch: Path) -> Ended | None:
    """Run the tests of Debian's package of rentrez; None if it is not installed."""
    if shutil.which("Rscript") is None or not RENTREZ_TESTS.is_dir():
        return None
    folder = Path(shutil.copytree(RENTREZ_TESTS, scratch / "testthat"))
    for packed in folder.glob("*.gz"):
        subprocess.run(["gunzip", str(packed)], check=True)
    script = ROOT / "benchmarks" / "conformance" / "suites" / "rentrez.R"
    ran = subprocess.run(
        ["Rscript", str(script), base_url, str(folder)],
        env=os.environ | {"NOT_CRAN": "true"},
        capture_output=True, text=True, check=False, timeout=SECONDS,
    )  # fmt: skip
    if ran.returncode:  # testthat or another package is missing
        return None
    lines = [line.split("\t") for line in ran.stdout.splitlines() if line.count("\t") == 1]
    numbers: Counter[str] = Counter()
    ended: dict[str, str | None] = {}
    for file, failure in lines:
        numbers[file] += 1
        ended[f"{file} {numbers[file]}"] = failure or None
    return ended


def suites(python: str, biopython_version: str | None) -> str:
    """Return the section on the clients' own tests.

    The services that NCBI has dropped are on: the suites are older.

    Args:
        python: interpreter that has the other clients.
        biopython_version: version of Biopython there; None if it is missing.
    """
    config = EmulatorConfig(rate=None, llinkslib=True, egquery=True)
    told = ["### The clients' own tests"]
    with tempfile.TemporaryDirectory() as name, background(config) as server:
        scratch, url = Path(name), server.base_url
        version = biopython_version or ""
        ended = {f"Biopython {version}": biopython(python, version, url, scratch)}
        with suppress(subprocess.TimeoutExpired):
            ended["rentrez"] = rentrez(url, scratch)
    for suite, tests in ended.items():
        told.append(section(suite, tests))
    return "\n\n".join(told)


def section(suite: str, tests: Ended | None) -> str:
    """Return one sentence about a suite, and a row for each test that fails."""
    if tests is None:
        return f"{suite}: could not be installed."
    failed = {name: failure for name, failure in tests.items() if failure is not None}
    lines = [f"{suite}: {len(tests) - len(failed)} of {len(tests)} tests pass."]
    if failed:
        lines += ["", "| test | why it fails |", "| --- | --- |"]
    lines += [
        f"| {name} | {REASONS.get(name, f'**{failure}**')} |" for name, failure in failed.items()
    ]
    return "\n".join(lines)
