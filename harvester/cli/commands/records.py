"""`harvester records`: the records at the ends of a harvest's links."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Literal

import rich_click as click
from click.exceptions import Exit

from harvester.api.remote import shown
from harvester.cli.places import HarvestPlace
from harvester.cli.process import keep_memory, open_many_files
from harvester.cli.shared_options import partial_option, retry_failed_option
from harvester.cli.summary import add_next_command
from harvester.cli.verbosity import messages
from harvester.errors import HarvestError

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
def records(
    out: Path,
    side: Literal["from", "to"],
    form: str,
    retry_failed: bool,
    partial: bool,
) -> None:
    """Download the records that the links of OUT lead to.

    They are written to OUT/records. The same command again resumes an unfinished download.
    """
    from harvester.api.folder import job_in
    from harvester.api.harvest import run_records

    keep_memory()
    open_many_files()
    job, said = job_in(out), messages()
    options = f"{' --side from' * (side == 'from')}{f' --as {form}' * (form != 'summary')}"
    command = f"harvester records {shlex.quote(shown(out))}{options}"
    try:
        with said.display() as listener:
            results = run_records(
                job,
                side=side,
                form=form,
                listeners=[listener],
                retry_failed=retry_failed,
                partial=partial,
                signals=True,
            )
    except HarvestError as error:
        add_next_command(error, out, f"{command}{' --partial' * partial}")
        raise
    if not results:
        said.note(f"{out} has no links, so there are no linked records.")
    for db, result in results.items():
        got = result.outcomes.get("linked", 0)
        said.summary(f"{got:,} of {result.total:,} records of {db} in {result.folder}/records")
    if any(result.exit_code for result in results.values()):
        said.summary(
            "The failed and missing UIDs are listed in unanswered.txt there; query them again "
            f"with: {command} --retry-failed"
        )
    raise Exit(max((result.exit_code for result in results.values()), default=0))
