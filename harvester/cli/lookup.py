"""Helpers of commands that send a few requests: connect, and show a table."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from harvester.cli.verbosity import messages
from harvester.errors import printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from harvester.api.eutils import DbInfo, Eutils

T = TypeVar("T")

ATTEMPTS = 4
"""Maximum requests per answer: the user waits for it."""

_WHOLE = 13
"""Width up to which a cell is not folded: UIDs, scores, names of most databases."""

_LONGEST = 1000
"""Characters of a cell that are shown."""


def ask(values: dict[str, Any], work: Callable[[Eutils], Awaitable[T]]) -> T:
    """Return the result of some work with the E-utilities.

    Args:
        values: values of the options; those of contact and server are used.
        work: sends the requests.

    Raises:
        BadInput: an option is wrong, or NCBI would be asked without an email address.
        HarvestError: the server gives no answer.
    """
    from harvester.api.eutils import Eutils
    from harvester.api.loop import run_async

    async def asked() -> T:
        connection = Eutils(
            values["contact_email"],
            base_url=values["server_base_url"],
            tool=values["contact_tool"],
            attempts=ATTEMPTS,
        )
        async with connection as eutils:
            return await work(eutils)

    return run_async(asked())


def ask_infos(values: dict[str, Any]) -> dict[str, DbInfo | None]:
    """Return EInfo's descriptions of all databases; raises as `ask`."""

    def before(missing: int) -> None:
        messages().note(f"Asking EInfo about {missing} databases; the answers are kept for a day.")

    return ask(values, lambda eutils: eutils.einfo_all(before))


def show(columns: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> None:
    """Write a table to a terminal; into a pipe, lines with tabs between columns, without a head."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join("" if value is None else str(value) for value in row))
        return
    from rich.cells import cell_len
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    kept = [list(row) for row in rows]
    shown = [[_shown(value) for value in row] for row in kept]
    widths = [max(map(cell_len, cells)) for cells in zip(columns, *shown, strict=True)]
    console = Console()
    gap = 2 if sum(widths) + 2 * (len(widths) - 1) <= console.width else 1
    table = Table(box=None, header_style="dim", padding=(0, gap, 0, 0), pad_edge=False)
    for place, (name, width) in enumerate(zip(columns, widths, strict=True)):
        numbers = any(isinstance(row[place], int) for row in kept)
        table.add_column(
            name,
            justify="right" if numbers else "left",
            no_wrap=width <= _WHOLE,
            min_width=cell_len(name),
            overflow="fold",
        )
    for row in shown:
        table.add_row(*map(Text, row))
    console.print(table)


def _shown(value: str | int | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else printable(value, _LONGEST)
