"""`harvester databases`: what a server says of its databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from harvester.cli.options import AskingCommand

if TYPE_CHECKING:
    from harvester.eutils.einfo import DbInfo


@click.command(cls=AskingCommand)
@click.option("--json", "as_json", is_flag=True, help="one JSON document, with fields and links")
@click.option("-q", "--quiet", is_flag=True, help="nothing but the result and errors")
def databases(as_json: bool, **values: Any) -> None:
    """All databases: name, menu name, records, linknames, last update and description.

    EInfo is asked about each once a day. In a pipe: columns with tabs between them, and no head.
    """
    import json
    from dataclasses import asdict

    from harvester.cli.lookup import ask_infos, show

    found = ask_infos(values)
    if as_json:
        listed = [asdict(info) if info else {"name": name} for name, info in found.items()]
        click.echo(json.dumps(listed, indent=1))
        return
    show(
        ("database", "menu name", "records", "linknames", "last update", "description"),
        [_row(name, info) for name, info in found.items()],
    )


def _row(name: str, info: DbInfo | None) -> tuple[str | int | None, ...]:
    if info is None:
        return (name, None, None, None, None, None)
    about = (info.last_update, info.description)
    return (name, info.menu_name, info.count, len(info.links), *about)
