"""`harvester merge`: the shards of a job as one harvest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from harvester.cli.places import HarvestPlace, LocalPath
from harvester.cli.verbosity import progress_of

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("out", type=LocalPath())
@click.argument("shards", type=HarvestPlace(), nargs=-1, required=True, metavar="SHARD...")
@click.option("-q", "--quiet", is_flag=True, help="only errors")
def merge(out: Path, shards: tuple[Path, ...], quiet: bool) -> None:
    """Merge the shards of one job into a harvest in OUT.

    SHARD... are the folders of all jobs of an array (run --shard I/N), in any order. They are not
    changed. An overlap, a gap, another job, and an unfinished or damaged shard are refused by name.
    The same command finishes a merge that was stopped.
    """
    from harvester.api import folder
    from harvester.cli.summary import summary

    def warn(text: str) -> None:
        click.echo(f"Note: {text}", err=True)

    with progress_of(quiet=quiet) as listener:
        result = folder.merge(out, shards, warn, [listener])
    if not quiet:
        click.echo(summary(result), err=True)
    raise Exit(result.exit_code)
