"""One harvest from the command line: its display, its summary and its exit code."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from click.exceptions import Exit

from harvester.api.harvest import run
from harvester.api.remote import local
from harvester.cli.operation import metrics_of, run_on_end
from harvester.cli.process import keep_memory, open_many_files
from harvester.cli.summary import add_next_command, summary
from harvester.cli.verbosity import messages
from harvester.errors import HarvestError

if TYPE_CHECKING:
    from harvester.job.model import Job


def run_job(job: Job, values: dict[str, Any], **options: Any) -> None:
    """Run a job with the display that the options ask for.

    Raises:
        click.exceptions.Exit: with the exit code of the result.
        HarvestError: as for `harvester.harvest`.
    """
    keep_memory()
    open_many_files()
    folder, said = local(job.output.path), messages()
    try:
        with metrics_of(values) as listeners, said.display() as display:
            result = run(job, listeners=[display, *listeners], signals=True, **options)
    except HarvestError as error:
        add_next_command(error, folder, f"harvester resume {shlex.quote(job.output.path)}")
        try:
            run_on_end(values["on_end"], folder, error.exit_status, ended=False)
        except HarvestError as second:
            error.add_note(str(second))
        raise
    said.summary(summary(result))
    run_on_end(values["on_end"], folder, result.exit_code)
    raise Exit(result.exit_code)
