"""Content of a folder, and messages for disk errors."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from support.privileges import without_root

from harvester.api.folder import job_in, status
from harvester.api.read import read
from harvester.errors import FolderError
from harvester.runs.verify import is_handed_over
from harvester.store.folder import (
    check_harvest,
    check_no_orphans,
    check_usable,
    disk_errors,
    harvest_folders,
    is_chain,
)
from harvester.store.kept_job import read_job
from harvester.store.manifest import read_manifest
from harvester.store.reader import HarvestReader
from harvester.store.state_reader import StateReader, look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder in which only the superuser may look up names."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "out").mkdir()
        folder.chmod(0)
        yield folder
        folder.chmod(0o700)


@pytest.mark.parametrize("name", ["out", "not-yet"])
def test_a_folder_that_may_not_be_entered_is_named(closed: Path, name: str) -> None:
    with without_root(), pytest.raises(FolderError) as caught:
        check_usable(closed / name)
    assert str(caught.value) == f"{closed / name} cannot be read: Permission denied."


def test_what_may_not_be_entered_is_not_told_as_removed(closed: Path) -> None:
    out = closed / "out"
    with without_root(), pytest.raises(FolderError) as caught, disk_errors(out):
        (out / "links").mkdir()
    assert str(caught.value).startswith(f"{out / 'links'} could not be written (Permission denied)")


def test_a_folder_removed_during_the_run_is_told_so(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(FolderError, match="was removed or moved away"), disk_errors(out):
        (out / "links").mkdir()


def test_a_full_disk_is_told_with_its_remedy(tmp_path: Path) -> None:
    with pytest.raises(FolderError) as caught, disk_errors(tmp_path):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "links"))
    assert str(caught.value) == (
        f"{tmp_path / 'links'} could not be written (No space left on device): make room, then "
        "resume. Committed rows are kept."
    )


@pytest.mark.parametrize("log", [None, b""])
def test_parts_beside_an_empty_state_are_never_taken_for_leftovers(
    tmp_path: Path, log: bytes | None
) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "state.sqlite").touch()
    check_no_orphans(tmp_path)
    (tmp_path / "links" / "part-00000.parquet").touch()
    if log is not None:  # as a reader leaves it
        (tmp_path / "state.sqlite-wal").write_bytes(log)
    with pytest.raises(
        FolderError, match=r"part-00000\.parquet exists but state\.sqlite is missing"
    ):
        check_no_orphans(tmp_path)
    (tmp_path / "state.sqlite-wal").write_bytes(b"what a killed run committed")
    check_no_orphans(tmp_path)


READERS: list[Callable[[Path], object]] = [
    check_harvest,
    harvest_folders,
    is_chain,
    is_handed_over,
    read_manifest,
    read_job,
    read,
    status,
    job_in,
    lambda out: job_in(out, chain=True),
    HarvestReader.open,
    lambda out: look_up(out, "identity"),
]


@pytest.mark.parametrize("reader", READERS)
def test_whatever_reads_a_harvest_says_that_it_may_not(
    closed: Path, reader: Callable[[Path], object]
) -> None:
    out = closed / "out"
    with without_root(), pytest.raises(FolderError) as caught:
        reader(out)
    said = str(caught.value)
    assert said.startswith(str(out))
    assert said.endswith(
        " cannot be opened: Permission denied. Ask its owner for access, or name another one."
    )


def test_a_state_that_may_not_be_read_is_no_damaged_one() -> None:
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        state = Path(name) / "state.sqlite"
        state.touch(0o600)
        with without_root(), pytest.raises(FolderError, match="cannot be opened: Permission"):
            StateReader(state)


def test_a_name_that_is_too_long_is_said(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"File name too long. Give a shorter name\.$"):
        read(tmp_path / ("a" * 300))
