"""`harvester resume`: go on with the job that a folder holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from harvester.cli.verbosity import talk_options


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@talk_options
def resume(out: Path, **values: Any) -> None:
    """Go on with the job kept in OUT, needing nothing else."""
    from harvester.api.folder import job_in
    from harvester.cli.session import hold_session

    hold_session(job_in(out, chain=True), values, resume=True)
