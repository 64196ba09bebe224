"""A model of a disk that loses power: synced data is kept, any part of the rest may be lost.

The content of a file is certain once the file is synced, its name once the folder is. Later
changes may be on the disk in whole, in part or not at all, and in any order; of a write, any
beginning may be there. Only a rename is done or not done, as file systems guarantee.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from support.recording import Note

T = TypeVar("T")


class Fate(Protocol):
    """Which of the changes since the last sync are on the disk."""

    def __call__(self, changes: Sequence[T], /) -> Sequence[T]: ...


@dataclass(frozen=True)
class Change:
    """Some bytes of a file written, or, without bytes, its size set."""

    at: int
    data: bytes | None

    def apply(self, content: bytearray) -> None:
        """Apply the change; bytes between the end of a file and a write are zeros."""
        end = self.at + len(self.data or b"")
        if len(content) < end:
            content.extend(bytes(end - len(content)))
        if self.data is None:
            del content[end:]
        else:
            content[self.at : end] = self.data


@dataclass
class Unsynced(Generic[T]):
    """Changes since the last sync."""

    changes: list[T] = field(default_factory=list)


@dataclass
class File(Unsynced[Change]):
    """A file's content."""

    synced: bytes = b""

    def content(self, fate: Fate) -> bytes:
        """Return a possible content after a loss of power."""
        found = bytearray(self.synced)
        for change in fate(self.changes):
            change.apply(found)
        return bytes(found)

    def sync(self) -> None:
        """Make all changes certain."""
        self.synced, self.changes = self.content(whole), []


@dataclass
class Folder(Unsynced["dict[str, File | Folder | None]"]):
    """A folder's names; each change maps some of them to new content."""

    synced: dict[str, File | Folder] = field(default_factory=dict)

    def names(self, fate: Fate) -> dict[str, File | Folder]:
        """Return possible names after a loss of power."""
        found: dict[str, File | Folder | None] = dict(self.synced)
        for change in fate(self.changes):
            found |= change
        return {name: node for name, node in found.items() if node is not None}

    def sync(self) -> None:
        """Make all names certain, but not the content of folders among them."""
        self.synced, self.changes = self.names(whole), []


def whole(changes: Sequence[T]) -> Sequence[T]:
    """Return the fate in which nothing is lost: the power stays on."""
    return changes


def nothing(changes: Sequence[T]) -> Sequence[T]:
    """Return the fate in which all unsynced changes are lost."""
    return changes[:0]


class Drawn:
    """A random fate for each file and folder.

    Args:
        seed: draws the same again.
    """

    def __init__(self, seed: int) -> None:
        self._lot = random.Random(seed)

    def __call__(self, changes: Sequence[T]) -> Sequence[T]:
        """None, all, the first of them, or any; a write perhaps but its beginning."""
        match self._lot.choice(("none", "all", "first", "any")):
            case "none":
                return []
            case "all":
                return changes
            case "first":
                kept = list(changes[: self._lot.randint(0, len(changes))])
                return [*kept[:-1], *map(self._torn, kept[-1:])]
            case _:
                return [self._torn(one) for one in changes if self._lot.random() < 0.5]

    def _torn(self, change: T) -> T:
        if not isinstance(change, Change) or not change.data or self._lot.random() < 0.5:
            return change
        return Change(change.at, change.data[: self._lot.randint(0, len(change.data))])  # type: ignore[return-value]


class Disk:
    """The disk below a folder, according to recorded calls.

    Args:
        root: the folder; what it holds now is certain.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.files: dict[int, str] = {}
        self._inodes: dict[int, File] = {}
        self._top = self._read(root)

    def apply(self, notes: Iterable[Note]) -> None:
        """Apply the next calls."""
        for note in notes:
            match note.kind:
                case "create":
                    self._inodes[note.inode] = File()
                    self._name(note.path, self._inodes[note.inode])
                case "write":
                    self._inodes[note.inode].changes.append(Change(note.at, note.data))
                case "truncate":
                    self._inodes[note.inode].changes.append(Change(note.at, None))
                case "sync":
                    self._inodes[note.inode].sync()
                case "mkdir":
                    self._name(note.path, Folder())
                case "remove":
                    self._name(note.path, None)
                case "rename":
                    self._rename(note.path, note.to)
                case "sync_folder":
                    self._folder(Path(note.path)).sync()

    def write(self, folder: Path, fate: Fate, seed: int = 0) -> None:
        """Write what may be found after a loss of power.

        Args:
            folder: where to write it.
            fate: of what was not synced.
            seed: of the random content of memory-mapped files.
        """
        lot = random.Random(seed)

        def write(node: Folder, at: Path) -> None:
            at.mkdir(parents=True, exist_ok=True)
            for name, child in node.names(fate).items():
                if isinstance(child, Folder):
                    write(child, at / name)
                    continue
                content = child.content(fate)
                if name.endswith("-shm"):
                    content = lot.randbytes(len(content))
                (at / name).write_bytes(content)

        write(self._top, folder)

    def _read(self, folder: Path) -> Folder:
        read = Folder()
        for path in folder.iterdir():
            if path.is_dir():
                read.synced[path.name] = self._read(path)
            else:
                self._inodes[path.stat().st_ino] = File(synced=path.read_bytes())
                self.files[path.stat().st_ino] = str(path)
                read.synced[path.name] = self._inodes[path.stat().st_ino]
        return read

    def _name(self, path: str, node: File | Folder | None) -> None:
        self._folder(Path(path).parent).changes.append({Path(path).name: node})

    def _rename(self, old: str, new: str) -> None:
        parent = Path(new).parent
        assert parent == Path(old).parent, "renamed into another folder: not known here"
        node = self._folder(parent).names(whole)[Path(old).name]
        self._folder(parent).changes.append({Path(old).name: None, Path(new).name: node})

    def _folder(self, path: Path) -> Folder:
        found = self._top
        for name in path.relative_to(self._root).parts:
            child = found.names(whole)[name]
            assert isinstance(child, Folder)
            found = child
        return found
