"""`harvester status`: the progress of a harvest, also while another process runs it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import rich_click as click

from harvester.cli.places import HarvestPlace
from harvester.cli.shared_options import RESULT_PANEL, json_option
from harvester.cli.wrapped import wrapped
from harvester.wording import count, limited_by

if TYPE_CHECKING:
    from pathlib import Path

_LABEL = 10
"""Columns of the labels."""


@click.command()
@click.argument("out", type=HarvestPlace(parts=False))
@json_option(RESULT_PANEL)
def status(out: Path, as_json: bool) -> None:
    """Show the progress of the harvest in OUT.

    It can be asked for while another process runs the harvest.
    """
    import json

    from harvester.api import folder

    found = folder.status(out)
    if as_json:
        click.echo(json.dumps(found, indent=1))
    else:
        click.echo("\n\n".join(map(_text, found.get("hops", [found]))))


def _text(found: dict[str, Any]) -> str:
    lines = _sentences(found)
    if sys.stdout.isatty():
        lines = [part for one in lines for part in wrapped(one[:_LABEL], one[_LABEL:])]
    return "\n".join(lines)


def _what(found: dict[str, Any]) -> str:
    job, holds = found["job"], found["holds"]
    if holds["kind"] == "records":
        return f"records of {job['dbfrom']}, {holds.get('form', 'texts')}"
    return f"{job['dbfrom']} to {','.join(job['db'])}, cmd {job['cmd']}"


def _sentences(found: dict[str, Any]) -> list[str]:
    uids, requests, kind = found["uids"], found["requests"], found["holds"]["kind"]
    share = 100 * uids["done"] / uids["total"] if uids["total"] else 0.0
    files = sum(f"{kind}/" in part for part in found["parts"])
    lines = [
        f"{found['state'].replace('_', ' ')}: {_what(found)}",
        f"UIDs      {uids['done']:,} of {uids['total']:,} ({share:.1f} %): "
        f"{uids['linked']:,} linked, {uids['empty']:,} empty, "
        f"{uids['missing']:,} missing, {uids['failed']:,} failed",
        f"{kind:<9} {found['links']:,} in {count(files, 'file')}",
        f"requests  {requests['sent']:,} sent, {requests['ok']:,} answered, "
        f"{requests['retried']:,} retried, {requests['rate_limited']:,} over the limit",
    ]
    if found.get("partial_source"):
        lines.append(
            "input     taken from an unfinished harvest; resume adds the UIDs it has found since"
        )
    for linkname, missing in found["missing_links"].items():
        lines.append(
            f"unseen    about {missing['links']:,.0f} links of {linkname} "
            f"({missing['low']:,} to {missing['high']:,}), by how far the sweeps agree"
        )
    if again := found.get("refreshing"):
        lines.append(
            f"refresh   {again['done']:,} of {count(again['uids'], 'UID')} asked again; what is "
            "counted here is from before"
        )
    lines += [
        f"round {one['round']:<4}{one['done']:,} of {count(one['uids'], 'UID')}, "
        f"{count(one['links'], 'link')}"
        for one in found.get("rounds", [])
    ]
    sweep = found["sweep"] or {"of": 1}
    if sweep["of"] > 1 and found["state"] in ("running", "waiting", "interrupted"):
        lines.append(f"sweep     {sweep['number']} of {sweep['of']}: {sweep['done']:,} UIDs")
    if found["state"] == "running" and found["limited_by"]:
        lines.append(f"speed     {limited_by(found['limited_by'], slowed=found['slowed'])}")
    lines += [f"warning   {text}" for text in found["warnings"]]
    if found["waiting"]:
        lines.append(found["waiting"])
    elif found["state"] == "running" and found["eta_seconds"]:
        lines.append(f"time left {found['eta_seconds'] / 60:.0f} min")
    return lines
