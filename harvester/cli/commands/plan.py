"""`harvester plan`: what a job will cost, before ELink is asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from harvester.cli.operation import operation_options
from harvester.cli.options import PANELS, JobCommand
from harvester.cli.shared_options import (
    RESULT_PANEL,
    json_option,
    partial_option,
    refresh_option,
    retry_failed_option,
)
from harvester.cli.verbosity import messages
from harvester.cli.wrapped import wrapped

if TYPE_CHECKING:
    from harvester.job.load import Settings

_LABEL = 11
"""Columns of the labels."""


class PlanCommand(JobCommand):
    """As `run`, but `-o JOB.toml` is the job file to write."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the parameters, with `-o` for the job file alone."""
        params = super().get_params(ctx)
        for param in params:
            if param.name == "output_path":
                param.opts = ["--out"]
        return params


@click.command(cls=PlanCommand)
@click.argument("job", required=False, type=click.Path(path_type=Path), metavar="[JOB.toml]")
@click.option(
    "-o",
    "written",
    metavar="JOB.toml|DIR",
    help="write the planned job to this file, ready to edit and run; a name without .toml is that "
    "of the harvest's folder (--out)",
    panel=RESULT_PANEL,
)
@click.option("--overwrite", is_flag=True, help="replace the file of -o", panel=RESULT_PANEL)
@click.option(
    "--probe",
    "measure",
    is_flag=True,
    help="measure links and disk by at most 5 ELink requests",
    panel=RESULT_PANEL,
)
@json_option(RESULT_PANEL)
@retry_failed_option(PANELS["source"])
@refresh_option(PANELS["source"])
@partial_option(PANELS["source"])
@click.option(
    "--strict", is_flag=True, help="end if NCBI drops a part of the query", panel=PANELS["source"]
)
@operation_options
def plan(
    job: Path | None,
    written: str | None,
    overwrite: bool,
    measure: bool,
    as_json: bool,
    retry_failed: bool,
    refresh: float | None,
    partial: bool,
    strict: bool,
    **values: Any,
) -> None:
    """Say what a job will cost: UIDs, requests, hours, nights, links, disk.

    It takes the options and the job file of run, and sends no ELink request (with --probe, at most
    5). A list of UIDs is read and counted; a query costs one ESearch request.
    """
    import json

    from harvester.api.loop import run_async
    from harvester.api.plan import check_free, plan_lines, write_job
    from harvester.api.plan import plan as make_plan
    from harvester.cli.options import settings
    from harvester.job import load

    said, given = messages(), settings(values)
    file = Path(written) if written and written.lower().endswith(".toml") else None
    if written and file is None:
        given.setdefault("output", {})["path"] = written
    resolved = load.build(_with_folder(given, job), job)
    if file is not None:
        check_free(file, overwrite=overwrite)
    with said.display() as listener:
        planned = run_async(
            make_plan(
                resolved,
                listeners=[listener],
                measure=measure,
                retry_failed=retry_failed,
                refresh=refresh,
                partial=partial,
                strict=strict,
            )
        )
    if file is not None:
        write_job(resolved, file, planned)
        said.note(f"The job is in {file}; run it with: harvester run {file}")
    if as_json:
        click.echo(json.dumps(planned.as_json(), indent=1))
    elif file is None or not said.quiet:
        for label, text in plan_lines(planned):
            click.echo("\n".join(wrapped(f"{label:{_LABEL}}", text)))


def _with_folder(given: Settings, job: Path | None) -> Settings:
    """Return the options with a folder for the harvest, if neither they nor a file name one."""
    from harvester.job import load

    if given.get("output", {}).get("path") or (
        job and load.load(job).get("output", {}).get("path")
    ):
        return given
    link = given.get("link", {})
    names = [str(link.get("dbfrom", "")), str(link.get("db", "")).replace(",", "-"), "links"]
    folder = "-".join(name for name in names if name)
    return {**given, "output": {**given.get("output", {}), "path": folder}}
