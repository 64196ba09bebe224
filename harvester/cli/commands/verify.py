"""`harvester verify`: compare a harvest with its records, and with NCBI today."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
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
    UIDs is queried again. A chain is checked hop by hop. Exit code 1 if a file is damaged, 3 if
    some links differ today.
    """
    import json

    from harvester.api import folder

    checks = [_Check(*one) for one in folder.verify_all(out)]
    if resample is not None and not any(check.found.damage for check in checks):
        checks = [_resampled(check, resample, values) for check in checks]
    if as_json:
        click.echo(json.dumps(_as_json(checks), indent=1))
    else:
        click.echo("\n\n".join(_sentences(check) for check in checks))
    if any(check.found.damage for check in checks):
        raise Exit(1)
    raise Exit(3 if any(check.again and check.again.differing for check in checks) else 0)


@dataclass(frozen=True, slots=True)
class _Check:
    """What was found in one harvest.

    Attributes:
        hop: name of the hop of a chain; empty for a single harvest.
        path: folder of the harvest.
        found: the state of its files.
        again: how links differ today; None if no UIDs were queried again.
    """

    hop: str
    path: Path
    found: Verified
    again: Resampled | None = None


def _resampled(check: _Check, share: float, values: dict[str, Any]) -> _Check:
    """Query a share of the UIDs of one harvest again."""
    from harvester.api import folder
    from harvester.api.loop import run_async

    with display_of(values) as listener:
        again = run_async(folder.resample(check.path, share, listeners=[listener]))
    return replace(check, again=again)


def _as_json(checks: list[_Check]) -> dict[str, Any]:
    """Return the object of --json: of a chain the sums, and each hop in `hops`."""
    each = [asdict(one.found) | {"resampled": one.again and asdict(one.again)} for one in checks]
    if not checks[0].hop:
        return each[0]
    sums = {key: sum(one[key] for one in each) for key in ("files", "rows")}
    damage = [text for one in each for text in one["damage"]]
    hops = [{"hop": check.hop} | one for check, one in zip(checks, each, strict=True)]
    return {**sums, "damage": damage, "hops": hops}


def _sentences(check: _Check) -> str:
    found, again = check.found, check.again
    of_hop = f"{check.hop}: " if check.hop else ""
    lines = [f"{of_hop}{found.files:,} files with {found.rows:,} rows: "]
    lines[0] += f"{len(found.damage)} damaged" if found.damage else "all as they were committed"
    lines += found.damage
    if found.damage:
        lines.append("Restore them from a copy, or harvest into another folder.")
    if again:
        lines.append(
            f"{of_hop}{again.answered:,} of {again.uids:,} UIDs queried again were answered: "
            f"of their {again.links:,} links {again.gone:,} are gone, {again.new:,} are new"
        )
        if again.differing:
            shown = ", ".join(map(str, again.differing[:_SHOWN]))
            more = ", …" if len(again.differing) > _SHOWN else ""
            lines.append(f"{len(again.differing):,} UIDs differ: {shown}{more}")
    return "\n".join(lines)
