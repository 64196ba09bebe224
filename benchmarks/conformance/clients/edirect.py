"""EDirect: `elink -cmd neighbor`, its XML through `xtract`.

Its programs are looked for on PATH, or in the folder that the variable EDIRECT names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.clients.edirect import XTRACT, program, version
from benchmarks.conformance.outcome import DB, DBFROM, LINKNAME, Outcome

__all__ = ["ask", "version"]


def _keep_here() -> None:
    """Replace mktemp by one in this folder: EDirect leaves temporary files when stopped."""
    mktemp = Path("mktemp")
    mktemp.write_text(f'#!/bin/sh\nexec {shutil.which("mktemp")} "$HOME/XXXXXX"\n')
    mktemp.chmod(0o755)
    os.environ["PATH"] = f"{Path.cwd()}:{os.environ['PATH']}"


def ask(base_url: str, uids: list[str]) -> Outcome:
    _keep_here()
    command = [program("elink"), "-base", base_url, "-db", DBFROM, "-id", ",".join(uids)]
    command += ["-target", DB, "-name", LINKNAME, "-cmd", "neighbor"]
    elink = subprocess.run(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
    sys.stdout.buffer.write(elink.stdout)  # what its user sees may hold the API key
    command = [program("xtract"), *XTRACT.split()]
    xtract = subprocess.run(command, input=elink.stdout, stdout=subprocess.PIPE, check=False)
    lines = xtract.stdout.decode("utf-8", "replace").splitlines()
    cells = [line.replace(",", "\t").split("\t") for line in lines]
    code = elink.returncode or xtract.returncode
    return Outcome(
        groups=[([first], links) for first, *links in cells],
        failure=f"exit {code}" if code else "",
    )
