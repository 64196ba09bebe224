"""How much a command says, and in which form: the options that several commands share."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from harvester.events import Listener

F = TypeVar("F", bound="Callable[..., Any]")
_PANEL = "Messages"
RESULT_PANEL = "Result"


def verbosity_options(command: F) -> F:
    """Add -q, -v and --log-json to a command."""
    for option in (
        click.option("--log-json", is_flag=True, help="one JSON object per line", panel=_PANEL),
        click.option(
            "-v", "--verbose", is_flag=True, help="also a line for each retry", panel=_PANEL
        ),
        click.option("-q", "--quiet", is_flag=True, help="only errors", panel=_PANEL),
    ):
        command = option(command)
    return command


def display_of(values: dict[str, Any]) -> AbstractContextManager[Listener]:
    """Return the display on stderr that `verbosity_options` ask for."""
    from harvester.api.display.lines import make_display

    return make_display(
        sys.stderr, quiet=values["quiet"], verbose=values["verbose"], as_json=values["log_json"]
    )


def progress_of(*, quiet: bool) -> AbstractContextManager[Listener]:
    """Return a display on stderr of the progress of a command, erased at its end."""
    from harvester.api.display.lines import make_display

    return make_display(sys.stderr, quiet=quiet, verbose=False, as_json=False, transient=True)


def partial_option(panel: str) -> Callable[[F], F]:
    """Return the decorator that adds --partial to a command."""
    return click.option(
        "--partial", is_flag=True, help="take an unfinished harvest as source", panel=panel
    )


def retry_failed_option(panel: str) -> Callable[[F], F]:
    """Return the decorator that adds --retry-failed to a command."""
    return click.option(
        "--retry-failed",
        is_flag=True,
        help="also the UIDs that an earlier run recorded as failed or missing",
        panel=panel,
    )


def refresh_option(panel: str) -> Callable[[F], F]:
    """Return the decorator that adds --refresh to a command."""
    return click.option(
        "--refresh",
        type=click.FloatRange(min=0),
        metavar="DAYS",
        help="also the UIDs whose answer is older; the newest answer of each is kept",
        panel=panel,
    )


def result_options(command: F) -> F:
    """Add --json and -q to a command whose result goes to standard output."""
    for option in (
        click.option(
            "-q", "--quiet", is_flag=True, help="only the result and errors", panel=RESULT_PANEL
        ),
        click.option(
            "--json", "as_json", is_flag=True, help="one JSON document", panel=RESULT_PANEL
        ),
    ):
        command = option(command)
    return command
