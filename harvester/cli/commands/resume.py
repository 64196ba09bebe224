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
    from harvester.cli.session import hold_session
    from harvester.errors import BadInput
    from harvester.job import load as jobfile
    from harvester.store.folder import JOB

    if not (out / JOB).is_file():
        raise BadInput(f"{out} holds no harvest to resume: it has no {JOB}.")
    job = jobfile.build({"output": {"path": str(out)}}, out / JOB)
    hold_session(job, values, resume=True)
