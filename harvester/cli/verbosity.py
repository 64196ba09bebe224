"""How much a command says, and in which form: the options all harvesting commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")
_PANEL = "What it says"


def talk_options(command: F) -> F:
    """Add -q, -v and --log-json to a command."""
    for option in (
        click.option("-q", "--quiet", is_flag=True, help="nothing but errors", panel=_PANEL),
        click.option(
            "-v", "--verbose", is_flag=True, help="a line for each retry, too", panel=_PANEL
        ),
        click.option(
            "--log-json", is_flag=True, help="one JSON object a line on stderr", panel=_PANEL
        ),
    ):
        command = option(command)
    return command
