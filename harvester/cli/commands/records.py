"""`harvester records`: the records at the ends of a harvest's links."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import rich_click as click
from click.exceptions import Exit

from harvester.cli.places import HarvestPlace
from harvester.cli.verbosity import (
    display_of,
    partial_option,
    retry_failed_option,
    verbosity_options,
)

if TYPE_CHECKING:
    from pathlib import Path


@click.command()
@click.argument("out", type=HarvestPlace())
@click.option(
    "--side",
    type=click.Choice(["from", "to"]),
    default="to",
    show_default=True,
    panel="Records",
    help="side of the links: the input UIDs, or the UIDs they lead to",
)
@click.option(
    "--as",
    "form",
    metavar="FORM",
    default="summary",
    show_default=True,
    panel="Records",
    help="form of the records: summary (ESummary), or RETTYPE, RETTYPE/RETMODE or /RETMODE of "
    "EFetch, for example medline/text",
)
@retry_failed_option("Records")
@partial_option("Records")
@verbosity_options
def records(
    out: Path,
    side: Literal["from", "to"],
    form: str,
    retry_failed: bool,
    partial: bool,
    **values: Any,
) -> None:
    """Download the records that the links of OUT lead to.

    They are written to OUT/records. The same command again resumes an unfinished download.
    """
    from harvester.api.folder import job_in
    from harvester.api.harvest import run_records

    job = job_in(out)
    with display_of(values) as listener:
        results = run_records(
            job,
            side=side,
            form=form,
            listeners=[listener],
            retry_failed=retry_failed,
            partial=partial,
            signals=True,
        )
    if not results:
        click.echo(f"{out} has no links, so there are no linked records.", err=True)
    if not values["quiet"] and not values["log_json"]:
        for db, result in results.items():
            got = result.outcomes.get("linked", 0)
            click.echo(
                f"{got:,} of {result.total:,} records of {db} in {result.folder}/records", err=True
            )
        if any(result.exit_code for result in results.values()):
            options = f"{' --side from' * (side == 'from')}{f' --as {form}' * (form != 'summary')}"
            click.echo(
                "The failed and missing UIDs are listed in unanswered.txt there; query them again "
                f"with: harvester records {out}{options} --retry-failed",
                err=True,
            )
    raise Exit(max((result.exit_code for result in results.values()), default=0))
