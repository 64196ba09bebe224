"""One harvest from the command line: its display, its summary and its exit code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from click.exceptions import Exit

from harvester.api.harvest import Result, run
from harvester.cli.operation import metrics_of, run_on_end
from harvester.cli.process import keep_memory, open_many_files
from harvester.cli.verbosity import display_of
from harvester.errors import GaveUp, HarvestError, Interrupted, Refused, WindowClosed
from harvester.wording import count

if TYPE_CHECKING:
    from harvester.job.model import Job


def run_job(job: Job, values: dict[str, Any], **options: Any) -> None:
    """Run a job with the display that the options ask for.

    Raises:
        click.exceptions.Exit: with the exit code of the result.
        HarvestError: as `harvester.harvest` says.
    """
    keep_memory()
    open_many_files()
    folder = Path(job.output.path)
    try:
        with metrics_of(values) as listeners, display_of(values) as display:
            result = run(job, listeners=[display, *listeners], signals=True, **options)
    except HarvestError as error:
        if isinstance(error, GaveUp | Interrupted | WindowClosed | Refused):
            error.add_note(f"Go on with: harvester resume {folder}")
        try:
            run_on_end(values["on_end"], folder, error.exit_status, ended=False)
        except HarvestError as second:
            error.add_note(str(second))
        raise
    if not values["quiet"] and not values["log_json"]:
        click.echo(summary(result), err=True)
    run_on_end(values["on_end"], folder, result.exit_code)
    raise Exit(result.exit_code)


def summary(result: Result) -> str:
    """Return a line for each harvest, and one for each database of records."""
    lines = [_links(one) for one in result.hops or [result]]
    if (again := result.refreshed) is not None:
        lines.append(
            f"{count(again.uids, 'UID')} asked again: {count(again.added, 'link')} added, "
            f"{again.removed:,} removed"
        )
        if again.unanswered:
            lines.append(
                f"{count(again.unanswered, 'UID')} gave no new answer and kept what they had."
            )
    if result.rejected:
        lines.append(
            f"{result.rejected:,} entries of the input are not UIDs and were left out; "
            f"they are listed in rejected.tsv."
        )
    lines += [
        f"{one.outcomes.get('linked', 0):,} of {count(one.total, 'record')} in {one.folder}"
        for one in result.records
    ]
    return "\n".join(lines)


def _links(result: Result) -> str:
    outcomes = ", ".join(
        f"{result.outcomes.get(name, 0):,} {name}"
        for name in ("linked", "empty", "missing", "failed")
        if result.outcomes.get(name) or name in ("linked", "empty")
    )
    text = (
        f"{count(result.link_count, 'link')} of {count(result.total, 'UID')} ({outcomes}) "
        f"in {result.folder}"
    )
    if result.state != "complete":
        text += f"\nThe failed and missing UIDs are listed in {result.folder}/unanswered.txt;"
        text += f" query them again with: harvester run {result.folder}/job.toml --retry-failed"
    return text
