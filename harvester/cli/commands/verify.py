"""`harvester verify`: is a harvest as it was committed, and does NCBI still say the same?"""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click
from click.exceptions import Exit

from harvester.cli.verbosity import talk_options

if TYPE_CHECKING:
    from harvester.api.folder import Resampled, Verified

_SHOWN = 10


def _share(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Of `0.1%` make 0.001."""
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
    help="ask NCBI again for so many of the UIDs, at random",
)
@click.option("--json", "as_json", is_flag=True, help="as one JSON object")
@talk_options
def verify(out: Path, resample: float | None, as_json: bool, **values: Any) -> None:
    """Re-read every committed file of OUT; ask again for a share of its UIDs.

    Exit code 1 where a file is damaged, 3 where some links differ today.
    """
    import asyncio
    import json

    from harvester.api import folder
    from harvester.cli.display.lines import make_display

    found = folder.verify(out)
    again = None
    if resample is not None and not found.damage:
        with make_display(
            sys.stderr, quiet=values["quiet"], verbose=values["verbose"], as_json=values["log_json"]
        ) as listener:
            asking = folder.resample(out, resample, listeners=[listener])
            again = asyncio.run(asking)
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
            f"{again.answered:,} of {again.uids:,} UIDs asked for again answered: of their "
            f"{again.links:,} links {again.gone:,} did not come again, {again.new:,} are new"
        )
        if again.differing:
            shown = ", ".join(map(str, again.differing[:_SHOWN]))
            more = ", …" if len(again.differing) > _SHOWN else ""
            lines.append(f"{len(again.differing):,} UIDs differ: {shown}{more}")
    return "\n".join(lines)
