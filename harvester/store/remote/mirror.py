"""One harvest in an object store and its local copy: download and upload."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from contextlib import closing
from typing import TYPE_CHECKING

from harvester.errors import FolderError, FolderInUse
from harvester.model.place import url_of
from harvester.store import durable
from harvester.store.claim import Claim
from harvester.store.folder import (
    JOB,
    LINKS,
    MANIFEST,
    RAW,
    RECORDS,
    REJECTED,
    SWEEPS,
    UIDS,
    UNANSWERED,
    chain_of,
)
from harvester.store.remote.bucket import Bucket, Tag
from harvester.store.state_reader import FILE, NotBegun, StateReader

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.store.state import State

COMMITS = "commits"
PUBLISHED = ".published"
"""File of the local copy with the name of the newest record that it has."""

WATCH_SECONDS = 20.0
"""Seconds for which the record of another host's harvest is watched before it is taken over. A run
commits every 8 s while it gets answers."""

_RECORD = re.compile(rf"{COMMITS}/(\d{{8}})\.sqlite")
_FOLDERS = (LINKS, UIDS, SWEEPS, RAW, RECORDS)
_TEXTS = (JOB, UNANSWERED, REJECTED, MANIFEST)  # the manifest comes last


class Mirror:
    """A harvest in an object store, and the folder that is its copy.

    Args:
        folder: the local copy.
        bucket: the objects of the harvest.

    Attributes:
        tag: random; part of the names of new files, so that no two writers use one name.
    """

    def __init__(self, folder: Path, bucket: Bucket) -> None:
        self.folder = folder
        self.tag = secrets.token_hex(4)
        self._bucket = bucket
        self._objects: dict[str, int] = {}
        self._texts: dict[str, tuple[bytes, Tag]] = {}
        self._number = 0
        self._root: Mirror | None = None

    @classmethod
    def of(cls, folder: Path) -> Mirror | None:
        """Return the mirror of a folder; None if the folder is not a copy."""
        url = url_of(folder)
        if url is None:
            return None
        mirror = cls(folder, Bucket(url))
        if (whole := chain_of(folder)) is not None:
            mirror._root = cls.of(whole)
        return mirror

    # --- from the store ---------------------------------------------------------------------------

    def pull(self, *, parts: bool) -> None:
        """Bring the folder up to date; the caller has locked it.

        Args:
            parts: also the files of rows, not only the state.

        Raises:
            FolderError: the store cannot be used, or an object is damaged.
        """
        self.list_objects()
        if self._root is not None:
            self._root.list_objects()
        newest = self._newest()
        if newest is None:
            self._clear()
            return
        self._number = int(newest[len(COMMITS) + 1 :].partition(".")[0])
        if newest != self._known() or not (self.folder / FILE).is_file():
            self._clear()
            self._bucket.download(newest, self.folder / FILE)
            for name in _TEXTS:
                if name in self._objects:
                    self._bucket.download(name, self.folder / name)
            durable.write_text(self.folder / PUBLISHED, newest)
        if parts:
            self._pull_parts()

    def list_objects(self) -> None:
        """Read the list of objects in the store."""
        self._objects = self._bucket.sizes()
        self._texts.clear()

    def pull_texts(self) -> None:
        """Bring the small files of a chain's folder up to date."""
        self.list_objects()
        durable.make_folder(self.folder)
        for name in _TEXTS:
            if name in self._objects:
                self._bucket.download(name, self.folder / name)
            else:
                (self.folder / name).unlink(missing_ok=True)

    def check_free(self) -> None:
        """Check that no process on another host works on the harvest.

        Raises:
            FolderInUse: one has committed within `WATCH_SECONDS`.
        """
        if not (self.folder / FILE).is_file():
            return
        try:
            with closing(StateReader(self.folder / FILE)) as state:
                claim = Claim.load(state.get("claim"))
        except NotBegun:
            return
        if claim is None or claim.host == Claim.new().host:
            return
        until = time.monotonic() + WATCH_SECONDS
        while time.monotonic() < until:
            if self._record(self._number + 1) in self._bucket.sizes():
                raise FolderInUse(f"{self._bucket.url} is in use by {claim.owner}.")
            time.sleep(WATCH_SECONDS / 10)

    def _pull_parts(self) -> None:
        try:
            with closing(StateReader(self.folder / FILE)) as state:
                recorded = state.parts()
        except NotBegun:
            return
        for part in recorded:
            path = self.folder / part.name
            if path.is_file() and path.stat().st_size == part.bytes:
                continue
            durable.make_folder(path.parent)
            found = self._bucket.download(part.name, path)
            if found.checksum != part.checksum:
                path.unlink()
                raise FolderError(
                    f"{self._bucket.url}/{part.name} is not as it was committed. "
                    "Restore it from a copy, or harvest into another place."
                )

    def _clear(self) -> None:
        """Delete the copy: its content does not match the store."""
        for suffix in ("", "-wal", "-shm", "-journal"):
            (self.folder / f"{FILE}{suffix}").unlink(missing_ok=True)
        for name in (*_TEXTS, PUBLISHED):
            (self.folder / name).unlink(missing_ok=True)
        for name in _FOLDERS[:-1]:
            shutil.rmtree(self.folder / name, ignore_errors=True)

    def _newest(self) -> str | None:
        records = [name for name, size in self._objects.items() if size and _RECORD.fullmatch(name)]
        return max(records, default=None)

    def _known(self) -> str | None:
        try:
            return (self.folder / PUBLISHED).read_text(encoding="utf-8")
        except OSError:
            return None

    # --- to the store -----------------------------------------------------------------------------

    def publish(self, state: State) -> None:
        """Upload what is committed in the folder.

        Raises:
            FolderInUse: another process has published since.
            FolderError: the store cannot be used.
        """
        self._drop_manifest()
        named = {part.name for part in state.parts()}
        new = [name for name in sorted(named) if name not in self._objects]
        for name in new:
            self._bucket.create(name, self.folder / name)
        record, snapshot = self._record(self._number + 1), state.serialized()
        if not self._bucket.create(record, snapshot) and self._bucket.get(record) != snapshot:
            self._bucket.delete(new)
            raise self._taken_over()
        self._number += 1
        for name, size in self._objects.items():
            if size and _RECORD.fullmatch(name):
                self._bucket.put(name, b"")  # the number stays used
                self._objects[name] = 0
        old = [name for name in self._objects if _is_part(name) and name not in named]
        self._bucket.delete(old)
        for name in old:
            del self._objects[name]
        self._objects |= dict.fromkeys(new, 1) | {record: len(snapshot)}
        durable.write_text(self.folder / PUBLISHED, record)
        self.publish_texts()

    def publish_texts(self) -> None:
        """Upload the small files of the folder; the manifest is the last one.

        Raises:
            FolderInUse: another process has published since.
            FolderError: the store cannot be used.
        """
        for name in _TEXTS:
            path = self.folder / name
            if path.is_file():
                self._publish_text(name, path.read_bytes())
            elif name in self._objects:
                self._bucket.delete([name])
                del self._objects[name]
                self._texts.pop(name, None)

    def _publish_text(self, name: str, content: bytes) -> None:
        """Upload a small file, unless another process has published since."""
        seen = self._texts[name] if name in self._texts else self._find_mine(name)
        while seen is None or seen[0] != content:
            tag = self._bucket.replace(name, content, seen[1] if seen else None)
            seen = (content, tag) if tag else self._find_mine(name)
        self._texts[name], self._objects[name] = seen, len(content)

    def _find_mine(self, name: str) -> tuple[bytes, Tag] | None:
        """Find a small file; another process's record would precede its files."""
        found = self._bucket.find(name)
        if self._record(self._number + 1) in self._bucket.sizes():
            raise self._taken_over()
        return found

    def _taken_over(self) -> FolderInUse:
        return FolderInUse(
            f"{self._bucket.url} was taken over by another process. This run stops; all that "
            "was committed before is kept."
        )

    def _drop_manifest(self) -> None:
        """Remove the manifest in the store before what it describes changes."""
        if not (self.folder / MANIFEST).exists() and MANIFEST in self._objects:
            self._bucket.delete([MANIFEST])
            del self._objects[MANIFEST]
            self._texts.pop(MANIFEST, None)
        if self._root is not None:
            self._root._drop_manifest()  # noqa: SLF001 - of its own class

    @staticmethod
    def _record(number: int) -> str:
        return f"{COMMITS}/{number:08}.sqlite"


def _is_part(name: str) -> bool:
    folder, _, rest = name.partition("/")
    return folder in _FOLDERS[:-1] and "/" not in rest
