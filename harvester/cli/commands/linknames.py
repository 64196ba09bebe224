"""`harvester linknames`: the links that start from a database, or the picture of all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from harvester.cli.options import AskingCommand
from harvester.cli.shared_options import RESULT_PANEL, json_option
from harvester.cli.verbosity import messages
from harvester.errors import BadInput, HarvestError, printable

_STDOUT = "-"


@click.command(cls=AskingCommand)
@click.argument("dbfrom", required=False)
@click.option(
    "--db", metavar="DB", panel=RESULT_PANEL, help="database that the links lead to; default: all"
)
@click.option(
    "--graph",
    is_flag=False,
    flag_value=_STDOUT,
    metavar="[FILE.svg]",
    panel=RESULT_PANEL,
    help="picture of the links between all databases; default: standard output",
)
@json_option(RESULT_PANEL)
def linknames(
    dbfrom: str | None, db: str | None, graph: str | None, as_json: bool, **values: Any
) -> None:
    """List the linknames that start from DBFROM.

    The list is EInfo's; ELink returns some linknames that are not listed. In a pipe: one line per
    linkname, columns separated by tabs, no head.
    """
    import json
    from dataclasses import asdict

    from harvester.cli.lookup import ask, show

    if graph is not None:
        if dbfrom is not None or db is not None or as_json:
            raise BadInput("--graph draws all databases; leave DBFROM, --db and --json out.")
        _draw(graph, values)
        return
    if dbfrom is None:
        raise BadInput("DBFROM is missing: name a database, or give --graph for all.")
    links = ask(values, lambda eutils: eutils.linknames(dbfrom, db))
    if as_json:
        click.echo(json.dumps([asdict(link) for link in links], indent=1))
        return
    show(
        ("linkname", "to", "menu", "description"),
        [(link.name, link.dbto, link.menu, link.description) for link in links],
    )


def _draw(name: str, values: dict[str, Any]) -> None:
    from harvester.cli.link_graph import picture
    from harvester.cli.lookup import ask_infos

    path, shown = Path(name), printable(name)
    if name != _STDOUT:
        if path.suffix.lower() != ".svg":
            raise BadInput(f"--graph {shown}: give the picture a name that ends in .svg.")
        if not path.parent.is_dir():
            raise BadInput(f"--graph {shown}: there is no folder {printable(str(path.parent))}.")
    drawn = picture(info for info in ask_infos(values).values() if info)
    if name == _STDOUT:
        click.echo(drawn, nl=False)
        return
    try:
        path.write_text(drawn, encoding="utf-8")
    except OSError as error:
        raise HarvestError(f"{shown} cannot be written: {error.strerror}.") from error
    messages().note(f"The link graph is in {shown}.")
