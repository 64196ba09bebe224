"""`harvester report`: one HTML page about a harvest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from harvester.cli.places import HarvestPlace
from harvester.cli.verbosity import messages
from harvester.errors import BadInput

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("out", type=HarvestPlace())
@click.option(
    "--live",
    is_flag=True,
    help="serve the page on this machine instead, and update it while a job runs; Ctrl-C ends it",
)
@click.option(
    "--port",
    metavar="N",
    type=click.IntRange(0, 65535),
    help="port for --live (default: any free one)",
)
def report(out: Path, live: bool, port: int | None) -> None:
    """Write OUT/report.html, one page about the harvest in OUT.

    It shows outcomes, links, failures, the course over time and how to cite. The page needs no
    network. OUT/report.json holds its numbers.
    """
    from harvester.api import report as reports

    if live:
        from harvester.api.loop import run_async

        run_async(reports.serve_report(out, port=port or 0, started=click.echo))
        return
    if port is not None:
        raise BadInput("--port is the port of --live; give both, or neither.")
    made = reports.write_report(out)
    messages().note("\n".join(reports.headline(made)))
    click.echo(reports.report_path(out))
