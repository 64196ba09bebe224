"""Errors of files and folders that the system does not let the user open."""

from __future__ import annotations

import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from harvester.errors import not_opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def opening(path: Path) -> Iterator[None]:
    """Context in which a path is opened or looked up.

    Raises:
        FolderError: the system does not permit it, or the name is too long.
    """
    try:
        yield
    except OSError as error:
        raise not_opened(str(error.filename or path), error) from error


def holds(folder: Path, name: str) -> bool:
    """Return whether a file of that name is in a folder.

    Raises:
        FolderError: the folder cannot be looked into.
    """
    with opening(folder), suppress(FileNotFoundError, NotADirectoryError):
        return stat.S_ISREG((folder / name).stat().st_mode)
    return False
