"""The types of arguments that name a harvest, or a result on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from click import Context, Parameter


class HarvestPlace(click.Path):
    """A folder of this machine; of a URL, the up-to-date local copy of the harvest there.

    Args:
        parts: whether the command reads the rows, not only the state.
    """

    def __init__(self, *, parts: bool = True) -> None:
        super().__init__(path_type=Path)
        self._parts = parts

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Path:
        """Return the folder.

        Raises:
            click.BadParameter: no harvest can be kept at this URL.
            HarvestError: the object store cannot be used.
        """
        if "://" not in str(value):
            return Path(super().convert(value, param, ctx))  # type: ignore[arg-type]
        from harvester.api.remote import local_copy

        try:
            return local_copy(str(value), parts=self._parts)
        except ValueError as error:
            self.fail(f"{error}.", param, ctx)


class LocalPath(click.Path):
    """A file or folder of this machine, for a result that no object store takes."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)

    def convert(self, value: Any, param: Parameter | None, ctx: Context | None) -> Path:
        """Return the path.

        Raises:
            click.BadParameter: it is a URL, which would become a folder of that name.
        """
        if "://" in str(value):
            self.fail(f"'{value}' is a URL. Give a path of this machine.", param, ctx)
        return Path(super().convert(value, param, ctx))  # type: ignore[arg-type]
