"""Update the local copy of an object store, for reading or for a run."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from harvester.errors import FolderInUse
from harvester.model.place import url_of
from harvester.store import durable
from harvester.store.claim import Claim
from harvester.store.folder import JOB, lock_folder
from harvester.store.remote.bucket import Bucket
from harvester.store.remote.mirror import COMMITS, Mirror
from harvester.store.state_reader import FILE, look_up

if TYPE_CHECKING:
    from pathlib import Path

_GONE_SECONDS = 300.0


def fetch(folder: Path, *, parts: bool = True) -> None:
    """Bring the local copy of a harvest or a chain up to date; other folders are left alone.

    A harvest that a process of this machine is running is read as it is: its copy is newer.

    Args:
        folder: the local copy.
        parts: also the files of rows.

    Raises:
        FolderError: the store cannot be used.
    """
    url = url_of(folder)
    if url is None:
        return
    names = Bucket(url).sizes()
    inner = {name.partition(f"{COMMITS}/")[0] for name in names if f"{COMMITS}/" in name}
    if "" not in inner and (folder / FILE).exists():
        inner.add("")  # it was deleted in the store
    if "" not in inner and (JOB in names or (folder / JOB).exists()):
        durable.make_folder(folder)
        Mirror(folder, Bucket(url)).pull_texts()
    for name in sorted(inner):
        path = folder / name if name else folder
        try:
            lock = lock_folder(path)
        except FolderInUse:
            continue
        try:
            Mirror(path, Bucket(url_of(path) or url)).pull(parts=parts)
        finally:
            lock.release()


def is_run_elsewhere(folder: Path) -> bool:
    """Return whether a process of another machine was running a harvest at its last commit.

    After five minutes without a commit, it counts as ended.
    """
    if url_of(folder) is None:
        return False
    (kept,) = look_up(folder, "claim")
    claim = Claim.load(kept)
    return claim is not None and time.time() - claim.time < _GONE_SECONDS


def publish_texts(folder: Path) -> None:
    """Upload the small files of a chain's folder.

    Raises:
        FolderError: the store cannot be used.
    """
    mirror = Mirror.of(folder)
    if mirror is not None:
        mirror.list_objects()
        mirror.publish_texts()


def discard(folder: Path) -> None:
    """Delete a harvest: its objects, if it is in a store, and its folder.

    Raises:
        FolderError: the store cannot be used.
    """
    url = url_of(folder)
    if url is not None:
        bucket = Bucket(url)
        bucket.delete(list(bucket.sizes()))
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()
