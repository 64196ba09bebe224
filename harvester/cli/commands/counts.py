"""`harvester counts`: how many records of each database match a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from harvester.cli.options import AskingCommand
from harvester.cli.shared_options import RESULT_PANEL, json_option
from harvester.cli.verbosity import messages
from harvester.errors import HarvestError

if TYPE_CHECKING:
    from harvester.api.eutils import Eutils, Hits

SUGGESTION_SECONDS = 15.0
"""Seconds to wait for a suggestion; the counts are more important."""


@click.command(cls=AskingCommand)
@click.argument("words", metavar="TERM", nargs=-1, required=True)
@json_option(RESULT_PANEL)
def counts(words: tuple[str, ...], as_json: bool, **values: Any) -> None:
    """Count the records that match TERM, in each database.

    A database in which the search fails is listed with the reason. In a pipe: one line per
    database, columns separated by tabs, no head.
    """
    import json

    from harvester.cli.lookup import ask, show
    from harvester.errors import BadInput

    if len(words) > 1:
        raise BadInput(f"Write the query in quotes: harvester counts '{' '.join(words)}'")
    term = words[0]
    if not term.strip():
        raise BadInput("TERM is empty; write a query, for example 'asthma AND 2024[PDAT]'.")
    if any("\ud800" <= letter <= "\udfff" for letter in term):
        raise BadInput("TERM is not valid UTF-8.")
    hits, better = ask(values, lambda eutils: _count(eutils, term))
    if as_json:
        rows = [{"db": one.db, "count": one.count, "reason": _reason(one)} for one in hits]
        document = {"term": term, "counts": rows, "suggestion": better}
        click.echo(json.dumps(document, indent=1))
        return
    show(("database", "records", "reason"), [(one.db, one.count, _reason(one)) for one in hits])
    if better:
        messages().note(f"Nothing matches; did you mean: {better}")


async def _count(eutils: Eutils, term: str) -> tuple[list[Hits], str | None]:
    """Return the hits, and if there are none, how the query may have been meant."""
    import asyncio

    hits = await eutils.egquery(term)
    if any(one.count for one in hits):
        return hits, None
    try:
        async with asyncio.timeout(SUGGESTION_SECONDS):
            return hits, await eutils.espell("pubmed", term)
    except (HarvestError, TimeoutError):
        return hits, None


def _reason(hits: Hits) -> str | None:
    """Return why a database was not searched."""
    return hits.status if hits.count is None else None
