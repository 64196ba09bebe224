"""`harvester linknames`: the links that start from a database, or the picture of all."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import rich_click as click

from harvester.cli.options import AskingCommand

if TYPE_CHECKING:
    from harvester.client.catalogue import Catalogue
    from harvester.eutils.einfo import DbLink

_STDOUT = "-"


@click.command(cls=AskingCommand)
@click.argument("dbfrom", required=False)
@click.option("--db", metavar="DB", help="only links to this database")
@click.option(
    "--graph",
    is_flag=False,
    flag_value=_STDOUT,
    metavar="[FILE.svg]",
    help="the links between all databases as a picture, into a file or to standard output",
)
@click.option("--json", "as_json", is_flag=True, help="one JSON document")
@click.option("-q", "--quiet", is_flag=True, help="nothing but the result and errors")
def linknames(
    dbfrom: str | None, db: str | None, graph: str | None, as_json: bool, **values: Any
) -> None:
    """The linknames from DBFROM: name, database it leads to, menu and description.

    They are what EInfo lists; ELink returns some that are not listed. In a pipe: columns with
    tabs between them, and no head.
    """
    import json
    from dataclasses import asdict

    from harvester.cli.lookup import ask, show
    from harvester.errors import BadInput, printable

    if graph is not None:
        if dbfrom is not None or db is not None or as_json:
            raise BadInput("--graph draws all databases; leave DBFROM, --db and --json out.")
        _draw(graph, values)
        return
    if dbfrom is None:
        raise BadInput("DBFROM is missing: name a database, or give --graph for all.")
    for name in (dbfrom, dbfrom if db is None else db):
        if not re.fullmatch(r"\w+", name, re.ASCII):
            raise BadInput(f"'{printable(name)}' is not a name; NCBI's names are like pubmed.")
    links = ask(values, lambda _, catalogue: _links(catalogue, dbfrom, db))
    if as_json:
        click.echo(json.dumps([asdict(link) for link in links], indent=1))
        return
    show(
        ("linkname", "to", "menu", "description"),
        [(link.name, link.dbto, link.menu, link.description) for link in links],
    )


async def _links(catalogue: Catalogue, dbfrom: str, db: str | None) -> list[DbLink]:
    from harvester.client.check_names import check_databases

    info = await catalogue.info(dbfrom)
    listed = await catalogue.databases() if db or info is None else [dbfrom]
    links = info.links if info else ()
    check_databases(dbfrom, [db] if db else [], listed, {link.name: link.dbto for link in links})
    return [link for link in links if db in (None, link.dbto)]


def _draw(name: str, values: dict[str, Any]) -> None:
    from pathlib import Path

    from harvester.cli.link_graph import picture
    from harvester.cli.lookup import ask_infos, note
    from harvester.errors import BadInput, HarvestError, printable
    from harvester.store import durable

    path = Path(name)
    shown = printable(name)
    if name != _STDOUT and path.suffix.lower() != ".svg":
        raise BadInput(f"--graph {shown}: give the picture a name that ends in .svg.")
    if name != _STDOUT and not path.parent.is_dir():
        raise BadInput(f"--graph {shown}: there is no folder {printable(str(path.parent))}.")

    drawn = picture(info for info in ask_infos(values).values() if info)
    if name == _STDOUT:
        click.echo(drawn, nl=False)
        return
    try:
        durable.write_text(path, drawn)
    except OSError as error:
        raise HarvestError(f"{shown} cannot be written: {error.strerror}.") from error
    note(values, f"The link graph is in {shown}.")
