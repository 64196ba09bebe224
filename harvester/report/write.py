"""Write the report of a harvest into its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from harvester.report.extra import check_extra
from harvester.report.gather import gather
from harvester.report.page import render
from harvester.store import durable
from harvester.store.folder import REPORT, REPORT_JSON, disk_errors

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.report.facts import Report


def write_report(folder: Path) -> Report:
    """Write `report.html` and `report.json` of a harvest or a chain; each is whole or absent.

    Args:
        folder: its folder, also while another process runs the harvest.

    Returns:
        What the report says.

    Raises:
        BadInput: the folder holds no harvest, or the packages of the extra `report` are not
            installed.
        FolderError: it is damaged or cannot be written.
    """
    check_extra()
    report = gather(folder)
    page, data = render(report), orjson.dumps(report, option=orjson.OPT_INDENT_2)
    with disk_errors(folder):
        durable.write_text(folder / REPORT_JSON, data.decode() + "\n")
        durable.write_text(folder / REPORT, page)
    return report
