"""`harvester top`: the targets that most inputs link to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from harvester.cli.places import HarvestPlace
from harvester.cli.shared_options import RESULT_PANEL, json_option
from harvester.cli.verbosity import messages

if TYPE_CHECKING:
    from pathlib import Path

_PANEL = "Targets"


@click.command()
@click.argument("out", type=HarvestPlace())
@click.option("--dbto", metavar="DB", panel=_PANEL, help="only targets in this database")
@click.option("--linkname", metavar="NAME", panel=_PANEL, help="only links of this name")
@click.option(
    "-n",
    "most",
    type=click.IntRange(min=1, max=1_000_000),
    metavar="N",
    default=50,
    panel=_PANEL,
    help="number of targets [default: 50]",
)
@click.option(
    "--titles", is_flag=True, panel=_PANEL, help="also their titles, from ESummary (2,000 at most)"
)
@json_option(RESULT_PANEL)
def top(
    out: Path,
    dbto: str | None,
    linkname: str | None,
    most: int,
    titles: bool,
    as_json: bool,
) -> None:
    """List the targets that most input UIDs of OUT link to.

    A UID that links to a target by several linknames counts once; equal counts are in the order of
    the UIDs. The hops of a chain are ranked together. In a pipe: database, UID, number of inputs
    and title, with tabs between them.
    """
    import json

    from harvester.api import top as api
    from harvester.api.loop import run_async
    from harvester.cli.lookup import show
    from harvester.errors import BadInput, printable

    if titles and most > api.MOST_TITLES:
        raise BadInput(f"--titles are limited to {api.MOST_TITLES:,} targets: give a smaller -n.")

    said = messages()
    with said.display(transient=True) as listener:
        found = api.top(
            out, most, dbto=dbto, linkname=linkname, warn=said.warn, listeners=[listener]
        )
    named = run_async(api.titles(out, found)) if titles and found else [None] * len(found)
    shown = [None if title is None else printable(title, 1000) for title in named]
    if as_json:
        objects: list[dict[str, Any]] = [
            {"db": one.db, "uid": one.uid, "inputs": one.inputs} for one in found
        ]
        if titles:
            objects = [one | {"title": title} for one, title in zip(objects, shown, strict=True)]
        click.echo(json.dumps(objects, indent=1, ensure_ascii=False))
        return
    if not found:
        said.warn(f"{out} has no links.")
    rows = [
        [one.db, str(one.uid), one.inputs, *([title] if titles else [])]
        for one, title in zip(found, shown, strict=True)
    ]
    show(["db", "uid", "inputs", *(["title"] if titles else [])], rows)
