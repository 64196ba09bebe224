"""`harvester reparse`: the links again, from the answers that were kept."""

from __future__ import annotations

from pathlib import Path

import rich_click as click


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def reparse(out: Path) -> None:
    """Make the links of OUT again from the answers that --keep-raw kept; nobody is asked."""
    from harvester import jobfile
    from harvester.errors import BadInput
    from harvester.folder import JOB
    from harvester.reparse import reparse as parse_again

    if not (out / JOB).is_file():
        raise BadInput(f"{out} holds no harvest: it has no {JOB}.")
    job = jobfile.absolute(jobfile.build({"output": {"path": str(out)}}, out / JOB))
    links = parse_again(job)
    click.echo(f"{links:,} links in {out}, from the answers in {out / 'raw'}", err=True)
