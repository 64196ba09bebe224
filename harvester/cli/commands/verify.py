"""`harvester verify`: compare a harvest with its records, and with NCBI today."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from click.exceptions import Exit

from harvester.cli.verbosity import display_of, verbosity_options

if TYPE_CHECKING:
    from harvester.api.folder import Resampled, Verified

_SHOWN = 10


def _share(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Return 0.001 for `0.1%`."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(\.\d*)?|\.\d+)\s*%", value, re.ASCII)
    share = float(found[1]) / 100 if found else 0.0
    if not 0 < share <= 1:
        raise click.BadParameter(f"'{value}' is not a share; write it like 0.1%, up to 100%")
    return share


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option(
    "--resample",
    metavar="P%",
    callback=_share,
    panel="Check",
    help="random share of the UIDs to query again, for example 0.1%",
)
@click.option(
    "--json", "as_json", is_flag=True, panel="Check", help="one JSON object on standard output"
)
@verbosity_options
def verify(out: Path, resample: float | None, as_json: bool, **values: Any) -> None:
    """Check the files of OUT against their recorded checksums.

    Every committed file is read again: size, rows and checksum. With --resample, a share of the
    UIDs is queried again. Exit code 1 if a file is damaged, 3 if some links differ today.
    """
    import json

    from harvester.api import folder
    from harvester.api.loop import run_async

    found = folder.verify(out)
    again = None
    if resample is not None and not found.damage:
        with display_of(values) as listener:
            asking = folder.resample(out, resample, listeners=[listener])
            again = run_async(asking)
    if as_json:
        click.echo(json.dumps(asdict(found) | {"resampled": again and asdict(again)}, indent=1))
    else:
        click.echo(_sentences(found, again))
    raise Exit(1 if found.damage else 3 if again and again.differing else 0)


def _sentences(found: Verified, again: Resampled | None) -> str:
    lines = [f"{found.files:,} files with {found.rows:,} rows: "]
    lines[0] += f"{len(found.damage)} damaged" if found.damage else "all as they were committed"
    lines += found.damage
    if found.damage:
        lines.append("Restore them from a copy, or harvest into another folder.")
    if again:
        lines.append(
            f"{again.answered:,} of {again.uids:,} UIDs queried again were answered: of their "
            f"{again.links:,} links {again.gone:,} are gone, {again.new:,} are new"
        )
        if again.differing:
            shown = ", ".join(map(str, again.differing[:_SHOWN]))
            more = ", …" if len(again.differing) > _SHOWN else ""
            lines.append(f"{len(again.differing):,} UIDs differ: {shown}{more}")
    return "\n".join(lines)
