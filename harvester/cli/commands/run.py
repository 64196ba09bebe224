"""`harvester run`: a job from options, a job file, or both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from harvester.cli.operation import operation_options
from harvester.cli.options import PANELS, JobCommand
from harvester.cli.shared_options import partial_option, refresh_option, retry_failed_option


@click.command(cls=JobCommand)
@click.argument("job", required=False, type=click.Path(path_type=Path), metavar="[JOB.toml]")
@retry_failed_option(PANELS["source"])
@refresh_option(PANELS["source"])
@partial_option(PANELS["source"])
@click.option(
    "--strict",
    is_flag=True,
    help="end before the first ELink request if NCBI drops a part of the query",
    panel=PANELS["source"],
)
@operation_options
def run(
    job: Path | None,
    retry_failed: bool,
    refresh: float | None,
    partial: bool,
    strict: bool,
    **values: Any,
) -> None:
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
    if resolved.output.path == STDOUT and refresh is None:
        needs_folder = {
            "--on-end": values["on_end"],
            "--retry-failed": retry_failed,
            "--keep-raw": resolved.output.keep_raw,
            "--records": resolved.output.records,
            "--runner": resolved.run.runner != "local",
        }
        for option, given in needs_folder.items():
            if given:
                raise click.UsageError(f"{option} needs a folder; give one with -o instead of -.")
        write_to_stdout(resolved, values, partial=partial, strict=strict)
    run_job(
        resolved,
        values,
        retry_failed=retry_failed,
        refresh=refresh,
        partial=partial,
        strict=strict,
    )
