"""`harvester diff`: links added and removed between two harvests."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import rich_click as click

from harvester.cli.counts_table import counts_table
from harvester.cli.places import HarvestPlace, LocalPath
from harvester.cli.shared_options import RESULT_PANEL, json_option, partial_option
from harvester.cli.verbosity import messages
from harvester.wording import count

if TYPE_CHECKING:
    from pathlib import Path

    from harvester.api.folder import Compared


@click.command()
@click.argument("old", type=HarvestPlace())
@click.argument("new", type=HarvestPlace())
@click.option(
    "-o",
    "--out",
    type=LocalPath(),
    metavar="DIR",
    help="new folder for the links themselves, as Parquet in DIR/added and DIR/removed; of a chain "
    "in DIR/hop-1/added and so on",
    panel=RESULT_PANEL,
)
@partial_option(RESULT_PANEL)
@json_option(RESULT_PANEL)
def diff(old: Path, new: Path, out: Path | None, partial: bool, as_json: bool) -> None:
    """Compare two harvests of one job: links added and removed, per linkname.

    UIDs that only one of them was asked for are counted apart, and so are UIDs without an answer.
    A link with another rank or score is the same link. Chains are compared hop by hop. Exit code
    0, whether or not they differ.
    """
    import json

    from harvester.api import folder

    said = messages()
    with said.display(transient=True) as listener:
        found = folder.diff(old, new, out, partial=partial, warn=said.warn, listeners=[listener])
    if as_json:
        click.echo(json.dumps({"old": str(old), "new": str(new), **_document(found)}, indent=1))
    elif found.hops:
        click.echo("\n\n".join(f"{hop}: {_text(one)}" for hop, one in found.hops.items()))
    else:
        click.echo(_text(found))


def _document(found: Compared) -> dict[str, object]:
    """Return the counts; of chains the sums over all hops, and the counts of each."""
    keys = ("only_old", "only_new", "unanswered")
    hops = [{"hop": hop, **_document(one)} for hop, one in found.hops.items()]
    return {
        "uids": {"compared": found.uids} | {key: getattr(found, key) for key in keys},
        **asdict(found.total),
        "by_linkname": {name: asdict(one) for name, one in found.by_linkname.items()},
        **({"hops": hops} if hops else {}),
    }


def _text(found: Compared) -> str:
    lines = [f"{count(found.uids, 'UID')} compared"]
    apart = (
        (found.only_old, "only in OLD"),
        (found.only_new, "only in NEW"),
        (found.unanswered, "without an answer in one of them"),
    )
    lines[0] += "".join(f"; {number:,} {what}" for number, what in apart if number)
    rows = [*found.by_linkname.items(), ("all links", found.total)]
    head = ("added", "removed", "kept")
    lines += counts_table(head, [(name, [getattr(one, k) for k in head]) for name, one in rows])
    total = found.total
    for key, what in ((total.rank_changed, "rank"), (total.score_changed, "score")):
        if key:
            lines.append(f"{key:,} of the kept links have another {what}.")
    return "\n".join(lines)
