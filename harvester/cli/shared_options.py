"""Options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

if TYPE_CHECKING:
    from collections.abc import Callable

F = TypeVar("F", bound="Callable[..., Any]")
RESULT_PANEL = "Result"


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


def json_option(panel: str) -> Callable[[F], F]:
    """Return the decorator that adds --json to a command."""
    return click.option("--json", "as_json", is_flag=True, help="one JSON document", panel=panel)
