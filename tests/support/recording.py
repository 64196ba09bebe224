"""The calls by which a run changed files, as `recorder.c` recorded them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = Path(__file__).with_name("recorder.c")

_NUMBERS = re.compile(r"\d+")
_OF_INODE = ("create", "write", "truncate", "sync")


@dataclass(frozen=True)
class Note:
    """One recorded call.

    Attributes:
        kind: create, write, truncate and sync of a file; mkdir, rename, remove and sync_folder
            of a path; or a mark that the test adds.
        inode: of the file, or 0.
        path: of the file as it was created, or of the path.
        to: the new path of a rename, or the text of a mark.
        at: offset of a write; new size of a truncation.
        data: bytes written.
    """

    kind: str
    inode: int = 0
    path: str = ""
    to: str = ""
    at: int = 0
    data: bytes = b""

    @property
    def step(self) -> str:
        """Return the kind of a call and the file's name without numbers."""
        return f"{self.kind} {_NUMBERS.sub('N', Path(self.path).name)}"


def recorder(folder: Path) -> Path:
    """Compile the recorder; skip the test if that fails."""
    compiler = shutil.which("cc")
    if not sys.platform.startswith("linux") or compiler is None:
        pytest.skip("recording what SQLite writes needs Linux and a C compiler (cc)")
    library = folder / "recorder.so"
    made = subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, SOURCE],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        pytest.skip(f"{compiler} cannot make the recorder: {made.stderr.strip()[:200]}")
    return library


def notes(file: Path, files: Mapping[int, str]) -> list[Note]:
    """Read the recorded calls.

    Args:
        file: the notes.
        files: inode → path of each file that was there before.
    """
    paths, found = dict(files), []
    data = file.read_bytes()
    start = 0
    while start < len(data):
        end = data.index(b"\n", start)
        kind, _, rest = data[start:end].decode().partition(" ")
        start = end + 1
        if kind == "mark":
            found.append(Note(kind, to=rest))
        elif kind in _OF_INODE:
            number, _, rest = rest.partition(" ")
            inode = int(number)
            if kind == "create":
                paths[inode] = rest
            at, _, size = rest.partition(" ") if kind in ("write", "truncate") else ("0", "", "")
            content = data[start : start + int(size or 0)]
            start += len(content)
            found.append(Note(kind, inode, paths[inode], at=int(at), data=content))
        else:
            path, _, to = rest.partition("\t")
            found.append(Note(kind, path=path, to=to))
    return found
