"""Checks of the options of `emulate` that are more than a number or a name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from harvester.emulator.service.capacity import Capacity
from harvester.emulator.service.latency import read_latency

if TYPE_CHECKING:
    from collections.abc import Callable


def _spelling(check: Callable[[str], object]) -> Callable[..., str | None]:
    """Return a callback that checks a text and returns it as it is written.

    Args:
        check: raises ValueError, with a sentence, for a text that is wrong.
    """

    def callback(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
        del context, parameter
        try:
            return None if value is None else (check(value), value)[1]
        except ValueError as error:
            raise click.BadParameter(str(error)) from error

    return callback


def _pair(
    name: str, between: str, valid: Callable[[float, float], bool], example: str
) -> Callable[..., tuple[float, float] | None]:
    """Return a callback that reads two numbers.

    Args:
        name: what the two numbers are.
        between: the text between them.
        valid: whether they make sense together.
        example: a right spelling.
    """

    def callback(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
        del context, parameter
        if value is None:
            return None
        first, found, second = value.partition(between)
        try:
            numbers = (float(first), float(second))
        except ValueError:
            found = ""
        if not found or not valid(*numbers):
            raise click.BadParameter(f"{value!r} is not {name}, such as {example}.")
        return numbers

    return callback


check_latency = _spelling(read_latency)
check_workers = _spelling(Capacity.read)
read_outage = _pair("a span of seconds", "-", lambda first, last: 0.0 <= first < last, "10-60")
read_restart = _pair(
    "a period and a shorter downtime in seconds",
    ",",
    lambda every, down: 0.0 < down < every < float("inf"),
    "300,10",
)
