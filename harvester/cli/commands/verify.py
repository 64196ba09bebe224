"""`harvester verify`: compare a harvest with its records, with NCBI, and with an earlier one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import rich_click as click
from click.exceptions import Exit

from harvester.cli.counts_table import counts_table
from harvester.cli.places import HarvestPlace
from harvester.cli.shared_options import json_option
from harvester.cli.verbosity import messages
from harvester.errors import printable
from harvester.wording import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from harvester.api.folder import Compared, Difference, Resampled, Verified
    from harvester.cli.verbosity import Messages

_SHOWN = 10
"""Maximum differing UIDs in the text."""

_LISTED = 100
"""Maximum damaged files in the text."""


def _share(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """Return 0.001 for `0.1%`."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d+(\.\d*)?|\.\d+)\s*%", value, re.ASCII)
    share = float(found[1]) / 100 if found else 0.0
    if not 0 < share <= 1:
        raise click.BadParameter(f"'{value}' is not a share; write it like 0.1%, up to 100%.")
    return share


@click.command()
@click.argument("out", type=HarvestPlace())
@click.option(
    "--resample",
    metavar="P%",
    callback=_share,
    panel="Check",
    help="random share of the UIDs to query again, for example 0.1%",
)
@click.option(
    "--against",
    type=HarvestPlace(),
    metavar="OLD",
    panel="Check",
    help="folder of an earlier harvest of the same job, for the links lost and gained since",
)
@json_option("Check")
def verify(out: Path, resample: float | None, against: Path | None, as_json: bool) -> None:
    """Check the files of OUT against their recorded checksums and manifest.json.

    Every recorded file is read again: size, rows and checksum. A data set without state.sqlite is
    checked against its manifest. With --resample, a share of the UIDs is queried again; with
    --against, the links are compared with those of an earlier harvest. A chain is checked hop by
    hop. Exit code 1 if a file is damaged, 3 if some links differ from what NCBI answers today.
    """
    import json

    from harvester.api import folder

    said = messages()
    with said.display(transient=True) as listener:
        checks = [_Check(*one) for one in folder.verify_all(out, [listener])]
    compared = None
    if all(check.found.ok for check in checks):
        if resample is not None:
            hops = any(check.hop for check in checks)
            checks = [
                check if hops and not check.hop else _resampled(check, resample, said)
                for check in checks
            ]
        if against is not None:
            with said.display(transient=True) as listener:
                compared = folder.against(against, out, said.warn, [listener])
    if as_json:
        click.echo(json.dumps(_as_json(checks, compared), indent=1))
    else:
        is_chain = any(check.hop for check in checks)
        texts = [*(_sentences(check, is_chain=is_chain) for check in checks)]
        texts += [*_compared_sentences(against, compared or {})]
        click.echo("\n\n".join(texts))
    if not all(check.found.ok for check in checks):
        raise Exit(1)
    raise Exit(3 if any(check.again and check.again.differing for check in checks) else 0)


@dataclass(frozen=True, slots=True)
class _Check:
    """The results for one harvest.

    Attributes:
        hop: name of the hop of a chain; empty for a single harvest, and for the files beside hops.
        path: folder of the harvest.
        found: the state of its files.
        again: how links differ today; None if no UIDs were queried again.
    """

    hop: str
    path: Path
    found: Verified
    again: Resampled | None = None

    @property
    def files(self) -> list[dict[str, Any]]:
        """The files as in JSON, by their path below OUT."""
        prefix = f"{self.hop}/" if self.hop else ""
        return [
            {"name": f"{prefix}{one.name}", "ok": one.ok, "why": one.why or one.note}
            for one in self.found.files
        ]


def _resampled(check: _Check, share: float, said: Messages) -> _Check:
    """Query a share of the UIDs of one harvest again."""
    from harvester.api import folder
    from harvester.api.loop import run_async

    with said.display() as listener:
        again = run_async(folder.resample(check.path, share, listeners=[listener]))
    return replace(check, again=again)


def _as_json(checks: list[_Check], compared: dict[str, Compared] | None) -> dict[str, Any]:
    """Return the object of --json: the files of all hops; of a chain also each hop in `hops`."""
    hops = [check for check in checks if check.hop]
    files: dict[str, dict[str, Any]] = {}
    for file in (file for check in checks for file in check.files):
        if file["ok"]:  # the manifest of a hop is checked with the hop and with the chain
            files.setdefault(file["name"], file)
        else:
            files[file["name"]] = file
    found = {
        "ok": all(check.found.ok for check in checks),
        "files": list(files.values()),
        "resampled": _again(checks),
    }
    if compared is not None:
        found["against"] = _differences(compared.values())
    if hops:
        found["hops"] = [
            {
                "hop": check.hop,
                "ok": check.found.ok,
                "files": check.files,
                "resampled": _again([check]),
            }
            for check in hops
        ]
    return found


def _again(checks: list[_Check]) -> dict[str, int]:
    """Return UIDs queried again, and links lost and gained since."""
    done = [check.again for check in checks if check.again is not None]
    return {
        "uids": sum(one.uids for one in done),
        "lost": sum(one.gone for one in done),
        "gained": sum(one.new for one in done),
    }


def _differences(compared: Iterable[Compared]) -> dict[str, Any]:
    """Return links lost and gained, and UIDs with such links, in all and per linkname."""
    many = list(compared)
    names = sorted({name for one in many for name in one.by_linkname})
    return {
        "uids": sum(one.uids for one in many),
        **_sums(one.total for one in many),
        "by_linkname": {
            name: _sums(one.by_linkname[name] for one in many if name in one.by_linkname)
            for name in names
        },
    }


def _sums(found: Iterable[Difference]) -> dict[str, int]:
    many = list(found)
    return {
        "links_lost": sum(one.removed for one in many),
        "links_gained": sum(one.added for one in many),
        "uids_lost": sum(one.uids_removed for one in many),
        "uids_gained": sum(one.uids_added for one in many),
    }


def _sentences(check: _Check, *, is_chain: bool) -> str:
    found, again = check.found, check.again
    of_hop = f"{check.hop or 'chain'}: " if is_chain else ""
    damage = found.damage
    rows = f" with {count(found.rows, 'row')}" if check.hop or not is_chain else ""
    lines = [f"{of_hop}{count(len(found.files), 'file')}{rows}: "]
    lines[0] += f"{len(damage):,} damaged" if damage else "all as they were committed"
    lines += [f"{check.path / printable(one.name)} {one.why}" for one in damage[:_LISTED]]
    if len(damage) > _LISTED:
        lines.append(f"… and {len(damage) - _LISTED:,} more; --json lists all.")
    if own := sum(not one.is_unrecorded for one in damage):
        which = "the file" if own == 1 else "the files"
        lines.append(f"Restore {which} from a backup, or harvest into another folder.")
    if any(one.is_unrecorded for one in damage):
        lines.append("Move files away that are not of this harvest: readers take all of a folder.")
    lines += found.notes
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


def _compared_sentences(old: Path | None, compared: dict[str, Compared]) -> Iterator[str]:
    """Yield the links lost and gained per linkname, hop by hop."""
    for hop, one in compared.items():
        of_hop = f"{hop}: " if hop else ""
        lines = [f"{of_hop}{count(one.uids, 'UID')} compared with {old}"]
        rows = [*one.by_linkname.items(), ("all links", one.total)]
        heads = ("links lost", "links gained", "UIDs lost", "UIDs gained")
        lines += counts_table(
            heads,
            [
                (name, (found.removed, found.added, found.uids_removed, found.uids_added))
                for name, found in rows
            ],
        )
        yield "\n".join(lines)
