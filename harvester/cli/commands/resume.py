"""`harvester resume`: resume the job in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from harvester.cli.operation import operation_options
from harvester.cli.options import ResumingCommand
from harvester.cli.places import HarvestPlace
from harvester.cli.shared_options import partial_option, refresh_option, retry_failed_option

if TYPE_CHECKING:
    from pathlib import Path


@click.command(cls=ResumingCommand)
@click.argument("out", type=HarvestPlace(parts=False))
@retry_failed_option("Input UIDs")
@refresh_option("Input UIDs")
@partial_option("Input UIDs")
@operation_options
def resume(
    out: Path, retry_failed: bool, refresh: float | None, partial: bool, **values: Any
) -> None:
    """Resume the harvest in OUT.

    Its job is kept in the folder, so that nothing else is needed. The options replace the limits
    of the job.
    """
    from harvester.api.folder import job_in
    from harvester.cli.options import settings
    from harvester.cli.session import run_job

    job = job_in(out, chain=True, options=settings(values))
    run_job(job, values, resume=True, retry_failed=retry_failed, refresh=refresh, partial=partial)
