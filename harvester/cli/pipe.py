"""`harvester run -o -`: links as JSON lines on standard output, for a pipe; nothing is kept."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

from click.exceptions import Exit

from harvester import events
from harvester.cli.operation import metrics_of
from harvester.cli.process import keep_memory, open_many_files
from harvester.cli.verbosity import messages
from harvester.wording import count

if TYPE_CHECKING:
    from harvester.job.model import Job


def write_to_stdout(job: Job, values: dict[str, Any], *, partial: bool, strict: bool) -> NoReturn:
    """Write the links of a job to standard output, as answers come.

    Raises:
        click.exceptions.Exit: 0, or 3 if some UIDs failed or are missing.
        HarvestError: as for `harvester.stream`, or a signal came.
    """
    from harvester.api.jsonl import write_jsonl
    from harvester.api.loop import run_async

    keep_memory()
    open_many_files()
    said = messages()

    def show_warning(event: events.Event) -> None:
        if isinstance(event, events.Warned):
            said.note(event.text)

    display = said.display() if said.verbose or said.log_json else nullcontext(show_warning)
    with (
        open(1, "wb", buffering=0, closefd=False) as out,
        metrics_of(values) as listeners,
        display as listener,
    ):
        work = write_jsonl(
            job,
            out,
            listeners=[listener, *listeners],
            signals=True,
            partial=partial,
            strict=strict,
        )
        outcomes = run_async(work)
    lost = outcomes["failed"] + outcomes["missing"]
    if lost:
        said.note(f"{count(lost, 'UID')} failed or {'is' if lost == 1 else 'are'} missing.")
    raise Exit(3 if lost else 0)
