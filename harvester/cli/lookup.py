"""Commands that ask a server a few questions: a client for them, and their tables."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from harvester.errors import HarvestError, RequestFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from harvester.client.catalogue import Catalogue
    from harvester.client.client import Client
    from harvester.eutils.einfo import DbInfo

T = TypeVar("T")

ATTEMPTS = 4
"""Of each question: somebody waits for the answer."""


def ask(values: dict[str, Any], work: Callable[[Client, Catalogue], Awaitable[T]]) -> T:
    """What becomes of some work with the server that options and environment name.

    Raises:
        BadInput: an option is wrong, or NCBI would be asked without an email address.
        HarvestError: the server gives no answer.
    """
    import asyncio

    from harvester.cli.options import settings
    from harvester.client.catalogue import Catalogue
    from harvester.client.connect import connected
    from harvester.job import load as jobfile
    from harvester.job.groups import STDOUT

    # Whom a job may ask, and as whom, is known of jobs: of this one nothing else matters.
    rest = {"link": {"dbfrom": "pubmed"}, "output": {"path": STDOUT}}
    job = jobfile.build({**settings(values), **rest})

    async def asked() -> T:
        async with connected(job.server, job.contact, job.limits) as client:
            return await work(client, Catalogue(client, attempts=ATTEMPTS))

    try:
        return asyncio.run(asked())
    except RequestFailed as failure:
        raise HarvestError(f"{job.server.base_url} gives no answer: {failure.reason}.") from failure


def ask_infos(values: dict[str, Any]) -> dict[str, DbInfo | None]:
    """What the server tells of all its databases; raises as `ask`."""

    def before(missing: int) -> None:
        note(values, f"Asking EInfo about {missing} databases; the answers are kept for a day.")

    return ask(values, lambda _, catalogue: catalogue.infos(before))


def note(values: dict[str, Any], sentence: str) -> None:
    """Say something beside the result, unless -q."""
    if not values["quiet"]:
        click.echo(sentence, err=True)


def show(columns: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> None:
    """A table on a terminal; else lines of columns with tabs between them, and no head."""
    if not sys.stdout.isatty():
        for row in rows:
            click.echo("\t".join("" if value is None else str(value) for value in row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="dim")
    kept = [list(row) for row in rows]
    for place, name in enumerate(columns):
        numbers = any(isinstance(row[place], int) for row in kept)
        table.add_column(name, justify="right" if numbers else "left")
    for row in kept:
        table.add_row(*(Text(_shown(value)) for value in row))
    Console().print(table)


def _shown(value: str | int | None) -> str:
    if value is None:
        return ""
    return f"{value:,}" if isinstance(value, int) else value
