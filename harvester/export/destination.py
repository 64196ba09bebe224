"""Destination of an export: built aside, then renamed into place as a whole.

Until the export has ended, all of its files are in the folder `.NAME.tmp` beside the destination,
temporary ones too. A failed export removes that folder; the next export removes that of a killed
one. An export to standard output has its temporary files in the system's temporary folder.
"""

from __future__ import annotations

import gzip
import io
import shutil
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from filelock import FileLock, Timeout

from harvester.errors import BadInput, FolderInUse, HarvestError
from harvester.store import durable
from harvester.store.folder import harvest_around
from harvester.store.no_locks import has_no_locks, quiet_fallback
from harvester.store.state_reader import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_GZIP_LEVEL = 6
_LOCK = ".lock"
_BUFFER = 1 << 20


def is_stdout(final: Path) -> bool:
    """Return whether a destination stands for standard output."""
    return str(final) == "-"


@dataclass(frozen=True, slots=True)
class Destination:
    """An export under construction.

    Attributes:
        final: the name that it gets.
        aside: folder in which it is built.
    """

    final: Path
    aside: Path

    @property
    def path(self) -> Path:
        """Path under which the file, or the folder, is built."""
        return self.aside / self.final.name

    @property
    def scratch(self) -> Path:
        """Folder for temporary files, on the disk of the destination."""
        folder = self.aside / "scratch"
        folder.mkdir(exist_ok=True)
        return folder

    def folder(self) -> Path:
        """Create the folder, and return its path."""
        self.path.mkdir()
        return self.path

    def companion(self, suffix: str) -> Path:
        """Return the path of a second file, which is put beside the first."""
        return self.aside / companion(self.final, suffix).name

    @contextmanager
    def stream(self) -> Iterator[IO[bytes]]:
        """Context with the file opened for writing, compressed if its name ends in .gz."""
        if is_stdout(self.final):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
            return
        with self.path.open("wb", buffering=_BUFFER) as file:
            if self.final.suffix.lower() != ".gz":
                yield file
                return
            with (
                gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as packed,
                io.BufferedWriter(cast("io.RawIOBase", packed), _BUFFER) as buffered,
            ):
                yield buffered


def companion(final: Path, suffix: str) -> Path:
    """Return the name of the file that goes beside another: `links.txt` → `links.nodes.tsv`."""
    name = final.name
    for ending in (".gz", final.with_suffix("").suffix if name.endswith(".gz") else final.suffix):
        name = name.removesuffix(ending) if ending else name
    return final.with_name(name + suffix)


def check_destination(
    final: Path,
    sources: Sequence[Path],
    companions: Sequence[str] = (),
    *,
    overwrite: bool,
    ours: Callable[[str], bool] | None = None,
) -> None:
    """Check that an export may be written.

    Args:
        final: the name that it gets.
        sources: folders of the harvests.
        companions: suffixes of the names of further files.
        overwrite: replace what is there.
        ours: as for `written_to`.

    Raises:
        BadInput: something is there, its folder is missing, or it is a file of a harvest.
        HarvestError: no file can have this name.
    """
    if is_stdout(final):
        return
    with _disk_errors(final):
        paths = [final, *(companion(final, suffix) for suffix in companions)]
        for path in paths:
            _check(path, sources)
        _check_replaceable(final, ours)
        for path in paths:
            if (path.exists() or path.is_symlink()) and not overwrite:
                raise BadInput(
                    f"{path} exists. Choose another name, or add --overwrite to replace it."
                )


def _check(path: Path, sources: Sequence[Path]) -> None:
    if not path.absolute().parent.is_dir():
        raise BadInput(f"The folder {path.parent} does not exist. Create it, or write elsewhere.")
    whole = path.absolute().parent.resolve() / path.name
    for source in map(Path.resolve, sources):
        if whole == source or whole in source.parents:
            raise BadInput(f"{path} is the harvest itself, or holds it. Choose another name.")
    if (harvest := harvest_around(whole)) is not None:
        raise BadInput(f"{path} is among the files of {harvest}. Choose another name.")
    if (path / FILE).exists():
        raise BadInput(f"{path} holds a harvest. Choose another name.")
    if path.exists() and not path.is_file() and not path.is_dir():
        raise BadInput(f"{path} is not a file. Use - to write to standard output.")


@contextmanager
def written_to(
    final: Path, *, companions: Sequence[str] = (), ours: Callable[[str], bool] | None = None
) -> Iterator[Destination]:
    """Context in which an export is built; at its end it gets its name, on failure it is removed.

    Args:
        final: the name that it gets.
        companions: suffixes of the names of further files.
        ours: for a folder, whether a name is one of those that the export writes. A folder with
            other names in it is not replaced.

    Raises:
        BadInput: the folder that is there was not written by an export.
        FolderInUse: another export writes to this name.
        HarvestError: the disk is full, or cannot be written.
    """
    if is_stdout(final):
        with _disk_errors(final), tempfile.TemporaryDirectory(prefix="harvester-") as folder:
            yield Destination(final, Path(folder))
        return
    _check_replaceable(final, ours)
    aside = final.with_name(f".{final.name}.tmp")
    with _disk_errors(final):
        aside.mkdir(exist_ok=True)
        lock = FileLock(aside / _LOCK)
        try:
            with quiet_fallback():
                lock.acquire(timeout=0)
        except Timeout:
            raise FolderInUse(f"Another export is writing {final}. Wait until it ends.") from None
        except OSError as error:
            if not has_no_locks(error):
                raise
        try:
            _empty(aside)
            destination = Destination(final, aside)
            yield destination
            # If the process were killed now, an old file would be combined with new ones.
            if companions:
                durable.remove([final])
            for suffix in companions:
                durable.publish(destination.companion(suffix), companion(final, suffix))
            durable.publish(destination.path, final)
        finally:
            lock.release()
            shutil.rmtree(aside, ignore_errors=True)


def _empty(aside: Path) -> None:
    """Delete what a killed export left."""
    for path in aside.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != _LOCK:
            path.unlink()


def _check_replaceable(final: Path, ours: Callable[[str], bool] | None) -> None:
    if ours is None and final.is_dir():
        raise BadInput(f"{final} is a folder. Name a file.")
    if ours is not None and final.exists():
        if not final.is_dir():
            raise BadInput(f"{final} is a file. Name a folder.")
        strange = sorted(path.name for path in final.iterdir() if not ours(path.name))
        if strange:
            raise BadInput(
                f"{final} holds files that no export of this format wrote ({strange[0]}). "
                "Choose another name."
            )


@contextmanager
def _disk_errors(final: Path) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        where, kept = (
            ("Standard output", "It is incomplete")
            if is_stdout(final)
            else (str(final), "Nothing was written")
        )
        raise HarvestError(
            f"{where} could not be written ({error.strerror or error}). {kept}; "
            "make room or choose another place, and export again."
        ) from error
