"""`harvester reparse`: rebuild links from the raw answers that were kept."""

from __future__ import annotations

from pathlib import Path

import rich_click as click


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def reparse(out: Path) -> None:
    """Rebuild the links of OUT from its raw answers.

    The harvest must have kept them (--keep-raw). No request is sent.
    """
    from harvester.api import folder

    links = folder.reparse(out)
    click.echo(f"{links:,} links in {out}, from the answers in {out / 'raw'}", err=True)
