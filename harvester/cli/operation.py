"""Options for harvests that run unattended: --metrics and --on-end."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from harvester.cli.verbosity import messages
from harvester.errors import BadInput, HarvestError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from harvester.events import Listener

F = TypeVar("F", bound="Callable[..., Any]")
_PANEL = "Operation"
MANIFEST = "manifest.json"


def _address(_: click.Context, __: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """Return host and port of `9400` or `0.0.0.0:9400`."""
    if value is None:
        return None
    host, _colon, port = value.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise click.BadParameter(f"'{value}' is not a port. Write 9400, or 0.0.0.0:9400.")
    return host.strip("[]") or "127.0.0.1", int(port)


def operation_options(command: F) -> F:
    """Add --metrics and --on-end to a command."""
    for option in (
        click.option(
            "--on-end",
            metavar="CMD",
            panel=_PANEL,
            help="shell command to run at the end, with manifest.json on its standard input",
        ),
        click.option(
            "--metrics",
            metavar="[HOST:]PORT",
            callback=_address,
            panel=_PANEL,
            help="serve counts for Prometheus while the harvest runs",
        ),
    ):
        command = option(command)
    return command


def metrics_of(values: dict[str, Any]) -> AbstractContextManager[list[Listener]]:
    """Return the listeners that `--metrics` asks for: one or none."""
    if values.get("metrics") is None:
        return nullcontext([])
    return _served(values)


@contextmanager
def _served(values: dict[str, Any]) -> Iterator[list[Listener]]:
    try:
        from harvester.api.metrics import serve_metrics
    except ImportError as error:
        raise BadInput(str(error)) from None
    host, port = values["metrics"]
    with serve_metrics(port, host) as (listener, url):
        messages().note(f"Metrics: {url}")
        yield [listener]


def run_on_end(cmd: str | None, folder: Path, exit_code: int, *, ended: bool = True) -> None:
    """Run the command of `--on-end`.

    Its standard input is the manifest of the harvest, or empty if an error ended the run. Its
    environment holds HARVESTER_OUT and HARVESTER_EXIT_CODE. What it prints goes to standard error,
    since standard output may carry links; with --log-json as JSON.

    Raises:
        HarvestError: it ended with an error.
    """
    if cmd is None:
        return
    manifest = folder / MANIFEST
    said = messages()
    done = subprocess.run(  # noqa: S602 - the user's own command line, as in cron
        cmd,
        shell=True,
        check=False,
        input=manifest.read_bytes() if ended and manifest.is_file() else b"",
        stdout=subprocess.PIPE if said.log_json else sys.stderr.fileno(),
        stderr=subprocess.STDOUT if said.log_json else None,
        env=os.environ | {"HARVESTER_OUT": str(folder), "HARVESTER_EXIT_CODE": str(exit_code)},
    )
    if done.stdout:
        said.note(done.stdout.decode("utf-8", "replace").rstrip())
    if done.returncode:
        raise HarvestError(
            f"The command of --on-end ended with exit code {done.returncode}; "
            f"the harvest itself ended with {exit_code}."
        )
