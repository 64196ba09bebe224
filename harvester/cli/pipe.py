"""`harvester run -o -`: links as JSON lines on standard output, for a pipe; nothing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import rich_click as click
from click.exceptions import Exit

from harvester import events
from harvester.cli.process import keep_memory, open_many_files

if TYPE_CHECKING:
    from harvester.job.model import Job


def write_to_stdout(job: Job, *, partial: bool = False) -> NoReturn:
    """Write the links of a job to standard output, as answers come.

    Raises:
        click.exceptions.Exit: 0, or 3 if some UIDs failed or are missing.
        HarvestError: as `harvester.stream` says, or a signal came.
    """
    from harvester.api.jsonl import write_jsonl
    from harvester.api.loop import run_async

    keep_memory()
    open_many_files()
    with open(1, "wb", buffering=0, closefd=False) as out:
        work = write_jsonl(job, out, listeners=[_show_warning], signals=True, partial=partial)
        outcomes = run_async(work)
    lost = outcomes["failed"] + outcomes["missing"]
    if lost:
        click.echo(f"harvester: {lost:,} UIDs failed or are missing.", err=True)
    raise Exit(3 if lost else 0)


def _show_warning(event: events.Event) -> None:
    if isinstance(event, events.Warned):
        click.echo(f"harvester: {event.text}", err=True)
