"""`harvester run`: a job from options, a job file, or both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from harvester.cli.options import JobCommand
from harvester.cli.verbosity import talk_options


@click.command(cls=JobCommand)
@click.argument("job", required=False, type=click.Path(path_type=Path), metavar="[JOB.toml]")
@click.option(
    "--retry-failed",
    is_flag=True,
    help="take up the UIDs that an earlier run recorded as failed or missing",
    panel="From which UIDs",
)
@talk_options
def run(job: Path | None, retry_failed: bool, **values: Any) -> None:
    """Harvest links; run again with the same folder, it resumes.

    Each option is also a key of the job file. The API key is read from the environment variable
    NCBI_API_KEY alone.
    """
    from harvester.cli.options import settings
    from harvester.cli.pipe import pour
    from harvester.cli.session import hold_session
    from harvester.job import load as jobfile
    from harvester.job.groups import STDOUT

    resolved = jobfile.build(settings(values), job)
    if resolved.output.path == STDOUT:
        pour(resolved)
    hold_session(resolved, values, retry_failed=retry_failed)
