"""`harvester records`: the records at the ends of a harvest's links."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import rich_click as click
from click.exceptions import Exit

from harvester.cli.verbosity import display_of, verbosity_options


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
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
@verbosity_options
def records(out: Path, side: Literal["from", "to"], form: str, **values: Any) -> None:
    """Download the records that the links of OUT lead to.

    They are written to OUT/records. The same command again resumes an unfinished download.
    """
    from harvester.api.folder import job_in
    from harvester.api.harvest import run_records

    job = job_in(out)
    with display_of(values) as listener:
        results = run_records(job, side=side, form=form, listeners=[listener], signals=True)
    if not values["quiet"] and not values["log_json"]:
        for db, result in results.items():
            got = result.outcomes.get("linked", 0)
            click.echo(
                f"{got:,} of {result.total:,} records of {db} in {result.folder}/records", err=True
            )
    raise Exit(max(result.exit_code for result in results.values()))
