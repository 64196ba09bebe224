"""`harvester doctor`: what could keep a harvest from working here, each with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click
from click.exceptions import Exit

from harvester.cli.options import AskingCommand
from harvester.cli.shared_options import RESULT_PANEL, json_option
from harvester.cli.verbosity import messages
from harvester.cli.wrapped import wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from harvester.api.doctor import Finding

_STATE, _NAME = 8, 17
"""Columns of the first two fields of a line."""


@click.command(cls=AskingCommand)
@click.option(
    "-o",
    "--out",
    default=".",
    metavar="DIR",
    help="folder of a harvest, or its URL in an object store; locks and disk are checked where it "
    "is or will be [default: the working directory]",
    panel=RESULT_PANEL,
)
@json_option(RESULT_PANEL)
def doctor(out: str, as_json: bool, **values: Any) -> None:
    """Check what could keep a harvest from working here.

    API key, contact email, proxy, name resolution, certificates, the server's answer, clock, shared
    rate limit, file locks, disk and open files; each with its remedy. It sends one request, to
    EInfo. Exit code 1: something is not ok.
    """
    import json
    from dataclasses import asdict

    from harvester.api.doctor import examine
    from harvester.api.loop import run_async
    from harvester.cli.options import settings

    found = run_async(examine(settings(values), out))
    if as_json:
        click.echo(json.dumps([asdict(one) for one in found], indent=1))
    else:
        for line in _lines(found):
            click.echo(line)
        messages().note(_verdict(found))
    raise Exit(0 if all(one.ok for one in found) else 1)


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    """Yield the findings, no wider than the terminal, the remedy on lines of its own."""
    for one in found:
        state = "ok" if one.ok else "NOT OK"
        yield from wrapped(f"{state:{_STATE}}{one.check:{_NAME}}", one.detail)
        if one.remedy:
            yield from wrapped(" " * (_STATE + _NAME), f"Remedy: {one.remedy}")


def _verdict(found: Sequence[Finding]) -> str:
    bad = sum(not one.ok for one in found)
    if not bad:
        return f"All {len(found)} checks are ok."
    return f"{bad} of {len(found)} checks {'is' if bad == 1 else 'are'} not ok."
