"""Disks of a few megabytes that can be filled, enlarged and made read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.harness import Finished


class Disk:
    """A file system in memory.

    Args:
        path: its mount point.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def resize(self, kilobytes: int) -> None:
        """Change the size."""
        self._remount(f"size={kilobytes}k")

    def make_read_only(self) -> None:
        """Remount it read-only."""
        self._remount("ro")

    def make_writable(self) -> None:
        """Remount it writable."""
        self._remount("rw")

    def fill(self, leaving: int = 0) -> None:
        """Fill it up to some kilobytes."""
        with (self.path / "filler").open("wb", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(1024))
        free = shutil.disk_usage(self.path).free
        assert free == 0, f"{free} bytes are still free"
        if leaving:
            size = (self.path / "filler").stat().st_size
            os.truncate(self.path / "filler", max(0, size - (leaving << 10)))

    def clear(self) -> None:
        """Free the filled room."""
        (self.path / "filler").unlink()

    def _remount(self, option: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{option}", self.path], check=True)


@contextmanager
def small_disk(path: Path, kilobytes: int = 8192) -> Iterator[Disk]:
    """Mount a disk for the block; skip the test if that is impossible."""
    if os.name == "nt" or os.getuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(path)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "-l", path], check=True)


def assert_one_sentence(finished: Finished, *parts: str, code: int = 1) -> None:
    """Assert the exit code and one error message that contains these texts."""
    said = [line for line in finished.output.splitlines() if line.startswith("harvester: ")]
    assert finished.code == code, finished.output
    assert len(said) == 1, finished.output
    assert finished.output.splitlines()[-1] == said[0], "something came after it"
    for part in parts:
        assert part in said[0], said[0]
