"""`harvester reparse`: the links again, from the answers that were kept."""

from __future__ import annotations

from pathlib import Path

import rich_click as click


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def reparse(out: Path) -> None:
    """Make the links of OUT again from the answers that --keep-raw kept; nobody is asked."""
    from harvester.job import load as jobfile
    from harvester.runs.reparse import reparse as parse_again
    from harvester.store.folder import JOB, see_harvest

    see_harvest(out)
    job = jobfile.absolute(jobfile.build({"output": {"path": str(out)}}, out / JOB))
    links = parse_again(job)
    click.echo(f"{links:,} links in {out}, from the answers in {out / 'raw'}", err=True)
