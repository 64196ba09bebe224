"""The report of a harvest: written as a file, or served while a job runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harvester.report.facts import Report

__all__ = ["headline", "report_path", "serve_report", "write_report"]


def write_report(folder: Path) -> Report:
    """Write `report.html` and `report.json` into the folder of a harvest or a chain.

    Returns:
        What the report says.

    Raises:
        BadInput: the folder holds no harvest, or the packages of the extra `report` are not
            installed.
        FolderError: it is damaged or cannot be written.
    """
    from harvester.report.write import write_report as write  # noqa: PLC0415 - imports much

    return write(folder)


async def serve_report(
    folder: Path, *, port: int = 0, started: Callable[[str], None] = lambda _: None
) -> None:
    """Serve the report of a harvest or a chain on this machine, until the call is cancelled.

    The page updates itself while a job runs in the folder; nothing is written.

    Args:
        folder: folder of a harvest or a chain.
        port: port to listen on; 0 for any free one.
        started: receives the URL of the page.

    Raises:
        BadInput: the folder holds no harvest, the port cannot be used, or the packages of the
            extra `report` are not installed.
        FolderError: the folder is damaged.
    """
    import asyncio  # noqa: PLC0415

    from harvester.report.live import serving  # noqa: PLC0415 - imports much

    async with serving(folder, port) as url:
        started(url)
        await asyncio.Event().wait()


def report_path(folder: Path) -> Path:
    """Return the path of the page."""
    from harvester.store.folder import REPORT  # noqa: PLC0415

    return folder / REPORT


def headline(report: Report) -> list[str]:
    """Return the figures at the top of the page as lines of text."""
    from harvester.report.texts import headline as lines  # noqa: PLC0415

    return lines(report)
