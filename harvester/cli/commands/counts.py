"""`harvester counts`: how many records of each database match a query."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from harvester.cli.options import AskingCommand

if TYPE_CHECKING:
    from harvester.client.catalogue import Catalogue
    from harvester.client.client import Client
    from harvester.eutils.egquery import Hits


@click.command(cls=AskingCommand)
@click.argument("term")
@click.option("--json", "as_json", is_flag=True, help="one JSON document")
@click.option("-q", "--quiet", is_flag=True, help="nothing but the result and errors")
def counts(term: str, as_json: bool, **values: Any) -> None:
    """How many records of each database match TERM, the most first.

    A database in which the search fails is named with the reason. In a pipe: columns with tabs
    between them, and no head.
    """
    import json

    from harvester.cli.lookup import ask, note, show
    from harvester.errors import BadInput

    if not term.strip():
        raise BadInput("TERM is empty; write a query, for example 'asthma AND 2024[PDAT]'.")
    if any("\ud800" <= letter <= "\udfff" for letter in term):
        raise BadInput("TERM is not valid UTF-8.")
    hits, better = ask(values, lambda client, catalogue: _count(client, catalogue, term))
    if as_json:
        rows = [{"db": one.db, "count": one.count, "reason": _reason(one)} for one in hits]
        document = {"term": term, "counts": rows, "suggestion": better}
        click.echo(json.dumps(document, indent=1))
        return
    show(("database", "records", "reason"), [(one.db, one.count, _reason(one)) for one in hits])
    if better:
        note(values, f"Nothing matches; did you mean: {better}")


async def _count(client: Client, catalogue: Catalogue, term: str) -> tuple[list[Hits], str | None]:
    """The hits, and where there are none, how the query may have been meant."""
    from harvester.client.search_counts import search_counts, suggestion

    hits = await search_counts(client, term, catalogue)
    if any(one.count for one in hits):
        return hits, None
    return hits, await suggestion(client, "pubmed", term)


def _reason(hits: Hits) -> str | None:
    """Why a database was not searched."""
    return hits.status if hits.count is None else None
