"""`harvester resume`: resume the job in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from harvester.cli.verbosity import verbosity_options


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@verbosity_options
def resume(out: Path, **values: Any) -> None:
    """Resume the harvest in OUT.

    Its job is kept in the folder, so that nothing else is needed.
    """
    from harvester.api.folder import job_in
    from harvester.cli.session import run_job

    run_job(job_in(out, chain=True), values, resume=True)
