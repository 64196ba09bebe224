"""Harvests in object stores, as folders of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.model.place import folder_of, is_url, local, shown

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["is_url", "local", "local_copy", "shown"]


def local_copy(url: str, *, parts: bool = True) -> Path:
    """Return the up-to-date local copy of a harvest in an object store.

    Args:
        url: for example `s3://bucket/name`.
        parts: also download the files of rows; without them only the status can be read.

    Raises:
        ValueError: no harvest can be kept at this URL.
        FolderError: the store cannot be used, or an object is damaged.
    """
    from harvester.store.remote.fetch import fetch  # noqa: PLC0415 - the help needs none of it

    folder = folder_of(url)
    fetch(folder, parts=parts)
    return folder
