"""`read`: open a harvest's folder, and return its links as tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harvester.api.by_uid import possible_linknames, reasons, targets_by_uid
from harvester.api.remote import is_url, local_copy
from harvester.errors import BadInput
from harvester.model.outcomes import Outcome
from harvester.store.frames import Frames
from harvester.store.reader import HarvestReader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike

    import pyarrow as pa

    from harvester.api.arguments import Uid


def read(folder: str | PathLike[str]) -> Harvest:
    """Open a harvest; nothing in its folder is changed, and no request is sent.

    Args:
        folder: folder of a harvest, of a hop of a chain, or of records; or its URL in an object
            store, like `s3://bucket/name`.

    Returns:
        What is committed now. A running harvest commits more later: open it again to see that.

    Raises:
        BadInput: the folder holds no harvest, or there can be none at the URL.
        FolderError: it is damaged, cannot be opened, or was written by a newer version.

    Example:
        ```
        harvest = harvester.read("out")
        print(harvest.outcomes, harvest.links().num_rows)
        ```
    """
    try:
        is_remote = isinstance(folder, str) and is_url(folder)
        path = local_copy(str(folder)) if is_remote else Path(folder).expanduser()
    except ValueError as error:
        raise BadInput(f"{error}.") from None
    except RuntimeError:
        raise BadInput(f"The home folder in '{folder}' does not exist.") from None
    return Harvest(HarvestReader.open(path))


class Harvest(Frames):
    """A harvest on disk.

    Args:
        reader: reads its folder.
    """

    __slots__ = ("_reader",)

    def __init__(self, reader: HarvestReader) -> None:
        self._reader = reader

    def __repr__(self) -> str:
        """Folder and counts."""
        counts = [f"{self.link_count:,} links"]
        outcomes = {one.value: self.outcomes.get(one.value, 0) for one in Outcome}
        counts += [f"{number:,} {name}" for name, number in outcomes.items() if number]
        state = "" if self.complete else ", unfinished"
        return f"Harvest({str(self.folder)!r}: {', '.join(counts)}{state})"

    @property
    def folder(self) -> Path:
        """The harvest's folder."""
        return self._reader.folder

    @property
    def complete(self) -> bool:
        """True if every input UID has its outcome."""
        return self._reader.complete

    @property
    def total(self) -> int:
        """Distinct input UIDs."""
        return self._reader.total

    @property
    def outcomes(self) -> Mapping[str, int]:
        """Outcome → number of UIDs."""
        return self._reader.outcomes

    @property
    def link_count(self) -> int:
        """Number of links."""
        return self._reader.link_count

    def links(self, *columns: str) -> pa.Table:
        """Return the links as one table; of records, the records.

        Args:
            columns: names of columns; all without any.

        Raises:
            FolderError: a file is missing or damaged.
        """
        return self._reader.table(*columns)

    def batches(self, *columns: str) -> Iterator[pa.Table]:
        """Yield the links in tables that fit in memory, for harvests that do not.

        Args:
            columns: names of columns; all without any.

        Raises:
            FolderError: a file is missing or damaged.
        """
        return self._reader.links(*columns)

    def uids(self) -> pa.Table:
        """Return each input UID with its outcome, as one table."""
        return self._reader.uid_table()

    def by_uid(self, linkname: str | None = None) -> dict[Uid, list[Uid]]:
        """Return each answered UID with the records it is linked to, as `Linked.by_uid`."""
        link = self._reader.link
        possible = possible_linknames(
            self._reader.dbfrom, link.get("db", ["all"]), link.get("linkname", [])
        )
        return targets_by_uid(self, linkname, possible)

    @property
    def unanswered(self) -> dict[Uid, str]:
        """UIDs without an answer, with the reason."""
        return reasons(self.uids())
