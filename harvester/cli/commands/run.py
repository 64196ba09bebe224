"""`harvester run`: a job from options, a job file, or both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from harvester.cli.options import PANELS, JobCommand
from harvester.cli.verbosity import verbosity_options


@click.command(cls=JobCommand)
@click.argument("job", required=False, type=click.Path(path_type=Path), metavar="[JOB.toml]")
@click.option(
    "--retry-failed",
    is_flag=True,
    help="also the UIDs that an earlier run recorded as failed or missing",
    panel=PANELS["source"],
)
@verbosity_options
def run(job: Path | None, retry_failed: bool, **values: Any) -> None:
    """Harvest links, or resume an unfinished harvest.

    Each option is also a key of the job file. The API key is read only from the environment
    variable NCBI_API_KEY.
    """
    from harvester.cli.options import settings
    from harvester.cli.pipe import write_to_stdout
    from harvester.cli.session import run_job
    from harvester.job import load
    from harvester.job.groups import STDOUT

    resolved = load.build(settings(values), job)
    if resolved.output.path == STDOUT:
        write_to_stdout(resolved)
    run_job(resolved, values, retry_failed=retry_failed)
