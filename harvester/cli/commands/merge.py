"""`harvester merge`: the shards of a job as one harvest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click
from click.exceptions import Exit

from harvester.cli.places import HarvestPlace, LocalPath
from harvester.cli.verbosity import messages

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("out", type=LocalPath())
@click.argument("shards", type=HarvestPlace(), nargs=-1, required=True, metavar="SHARD...")
def merge(out: Path, shards: tuple[Path, ...]) -> None:
    """Merge the shards of one job into a harvest in OUT.

    SHARD... are the folders of all jobs of an array (run --shard I/N), in any order. They are not
    changed. An overlap, a gap, another job, and an unfinished or damaged shard are refused by name.
    The same command finishes a merge that was stopped.
    """
    from harvester.api import folder
    from harvester.cli.summary import summary

    said = messages()
    with said.display(transient=True) as listener:
        result = folder.merge(out, shards, said.warn, [listener])
    said.note(summary(result))
    raise Exit(result.exit_code)
