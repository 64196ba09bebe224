"""`harvester around`: the neighbourhood of one record."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import rich_click as click

from harvester.cli.places import HarvestPlace, LocalPath
from harvester.cli.shared_options import RESULT_PANEL, json_option
from harvester.cli.verbosity import messages

if TYPE_CHECKING:
    from pathlib import Path

_PANEL = "Neighbourhood"


@click.command()
@click.argument("out", type=HarvestPlace())
@click.argument("record", metavar="DB:UID")
@click.option(
    "--hops",
    type=click.IntRange(min=1),
    metavar="N",
    default=1,
    panel=_PANEL,
    help="links between the record and the farthest others [default: 1]",
)
@click.option(
    "--to",
    type=(click.Choice(["graphml"]), LocalPath()),
    metavar="graphml DEST",
    panel=_PANEL,
    help="write the file DEST, for Gephi, Cytoscape, igraph or networkx",
)
@json_option(RESULT_PANEL)
def around(
    out: Path,
    record: str,
    hops: int,
    to: tuple[str, Path] | None,
    as_json: bool,
) -> None:
    """List the links from and to one record of OUT, and on from hop to hop.

    Links are followed in both directions, over all hops of a chain. In a pipe the columns are hop,
    database and UID that a link is from, linkname, database and UID that it leads to, and score,
    with tabs between them.
    """
    import json

    from harvester.api import around as api
    from harvester.cli.lookup import show
    from harvester.wording import count

    said = messages()
    if to is not None:
        api.check_free(to[1])
    with said.display(transient=True) as listener:
        found = api.around(out, record, hops, warn=said.warn, listeners=[listener])
    columns = ["hop", "dbfrom", "from_uid", "linkname", "dbto", "to_uid", "score"]
    links = found.links.select(columns).to_pylist()
    center = found.nodes[0]
    if not links:
        said.warn(f"{out} has no link from or to {center.db}:{center.uid}.")
    if to is not None:
        api.write_graphml(found, to[1])
        said.note(f"{count(len(found.nodes), 'record')} and {count(len(links), 'link')} in {to[1]}")
    elif not as_json:
        if sys.stdout.isatty() and not any(row["score"] is not None for row in links):
            columns.remove("score")  # a terminal is narrow
        names = ("from_uid", "to_uid")  # UIDs are names, without separators of thousands
        rows = [[str(row[n]) if n in names else row[n] for n in columns] for row in links]
        show(columns, rows)
    if as_json:
        nodes = [{"db": one.db, "uid": one.uid, "distance": one.distance} for one in found.nodes]
        document = {"center": {"db": center.db, "uid": center.uid}, "hops": hops}
        click.echo(json.dumps(document | {"nodes": nodes, "links": links}, indent=1))
