"""EDirect: one `elink -cmd neighbor` for all UIDs, its XML through `xtract`.

Its programs are searched on PATH, or in the folder that the variable EDIRECT names. It requests 100
UIDs at a time; the undocumented `-chunk` sets the same number as for the others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.clients import BATCH, DBFROM, Groups

if TYPE_CHECKING:
    from collections.abc import Iterator

XTRACT = "-pattern LinkSet -sep , -def - -element IdList/Id -block LinkSetDb -element Link/Id"


def program(name: str) -> str:
    """Return the path of a program.

    Raises:
        FileNotFoundError: it is not installed.
    """
    found = shutil.which(name, path=os.environ.get("EDIRECT") or None)
    if found is None:
        raise FileNotFoundError("apt-get install ncbi-entrez-direct, or EDIRECT=folder")
    return found


def version() -> str:
    command = [program("elink"), "-version"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def harvest(base_url: str, db: str, uids: list[str]) -> Iterator[Groups]:
    listed = Path("listed.txt")
    listed.write_text("\n".join(uids) + "\n")
    command = [program("elink"), "-base", base_url, "-db", DBFROM, "-input", str(listed)]
    command += ["-target", db, "-name", f"{DBFROM}_{db}", "-cmd", "neighbor", "-chunk", str(BATCH)]
    with (
        subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as elink,
        subprocess.Popen(
            [program("xtract"), *XTRACT.split()],
            stdin=elink.stdout,
            stdout=subprocess.PIPE,
            text=True,
        ) as xtract,
    ):
        assert xtract.stdout is not None
        for line in xtract.stdout:
            uid, *links = line.rstrip("\n").replace(",", "\t").split("\t")
            yield [([uid], links)]
    if elink.returncode or xtract.returncode:
        raise RuntimeError(f"elink exits {elink.returncode}, xtract exits {xtract.returncode}")
