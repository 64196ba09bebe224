"""`harvester reparse`: rebuild links from the raw answers that were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from harvester.cli.places import HarvestPlace
from harvester.cli.verbosity import messages
from harvester.wording import count

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("out", type=HarvestPlace())
def reparse(out: Path) -> None:
    """Rebuild the links of OUT from its raw answers.

    The harvest must have kept them (--keep-raw). No request is sent. A chain is rebuilt hop by hop.
    """
    from harvester.api import folder

    said = messages()
    for path in folder.harvests_in(out).values():
        with said.display(transient=True) as listener:
            links = count(folder.reparse(path, [listener]), "link")
        said.note(f"{links} in {path}, from the answers in {path / 'raw'}")
