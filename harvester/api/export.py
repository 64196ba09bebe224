"""Links of finished harvests in the formats of other tools."""

from __future__ import annotations

from itertools import chain
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from harvester.errors import BadInput, printable
from harvester.export import FORMATS, Options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from harvester import events

__all__ = ["export", "formats"]


def formats() -> Mapping[str, str]:
    """Return the name of each format and what it writes."""
    return {name: one.help for name, one in FORMATS.items()}


def export(
    folders: str | PathLike[str] | Sequence[str | PathLike[str]],
    form: str,
    to: str | PathLike[str],
    *,
    wide: bool = False,
    columns: str | Sequence[str] = (),
    overwrite: bool = False,
    partial: bool = False,
    listeners: Iterable[events.Listener] = (),
) -> int:
    """Write the links of harvests in the format of another tool.

    The file, or the folder, gets its name once it is whole. Memory does not grow with the number
    of links.

    Args:
        folders: folder of a harvest or of a chain, or several of them.
        form: a key of `formats()`.
        to: the file or folder to write.
        wide: one row per UID and one column per linkname.
        columns: fields of summaries to add, such as `title`; a text may name several, separated by
            commas.
        overwrite: replace what is there.
        partial: accept unfinished harvests.
        listeners: called with warnings and progress.

    Returns:
        Rows of links that were written.

    Raises:
        BadInput: a folder holds no finished harvest, the format cannot hold its links, or `to`
            does not fit.
        HarvestError: a folder is damaged, or the disk is full.
    """
    from harvester.export.export import export as write  # noqa: PLC0415 - needs pyarrow

    given = [folders] if isinstance(folders, str | PathLike) else folders
    texts = [columns] if isinstance(columns, str) else columns
    return write(
        [Path(folder) for folder in given],
        form,
        Path(to),
        Options(wide=wide, columns=tuple(dict.fromkeys(chain.from_iterable(map(_fields, texts))))),
        overwrite=overwrite,
        partial=partial,
        listeners=listeners,
    )


def _fields(text: str) -> list[str]:
    """Return the names in a comma list.

    Raises:
        BadInput: there is none.
    """
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise BadInput(f"columns '{printable(text)}' names no field of a summary; leave it out.")
    return names
