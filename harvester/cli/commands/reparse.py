"""`harvester reparse`: the links again, from the answers that were kept."""

from __future__ import annotations

from pathlib import Path

import rich_click as click


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def reparse(out: Path) -> None:
    """Make the links of OUT again from the answers that --keep-raw kept; nobody is asked."""
    from harvester.api import folder

    links = folder.reparse(out)
    click.echo(f"{links:,} links in {out}, from the answers in {out / 'raw'}", err=True)
