"""`harvester databases`: the databases of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from harvester.cli.options import AskingCommand
from harvester.cli.shared_options import RESULT_PANEL, json_option

if TYPE_CHECKING:
    from harvester.api.eutils import DbInfo


@click.command(cls=AskingCommand)
@json_option(RESULT_PANEL)
def databases(as_json: bool, **values: Any) -> None:
    """List all databases with their numbers of records and linknames.

    EInfo is asked about each database once a day. In a pipe: one line per database, columns
    separated by tabs, no head.
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
