"""The link graph of all databases as a picture: an SVG that needs nothing but itself.

Databases stand on a circle, those of most linknames first; a curve joins two with links between
them, the wider the more linknames there are; a ring marks links within one database.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from harvester.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from harvester.api.eutils import DbInfo

SIZE = 1000
RADIUS = 360.0
_BEND = 0.25
"""How far from the centre the curves pass, as a share of the way between two databases."""

Pair = tuple[str, str]

_STYLE = """
text { font: 13px sans-serif; fill: #222; dominant-baseline: middle; }
.title { font-size: 20px; } .note { fill: #666; } .gone { fill: #999; font-style: italic; }
path { fill: none; stroke: #3b6ea5; stroke-opacity: 0.28; stroke-linecap: round; }
path:hover { stroke: #c8401e; stroke-opacity: 1; }
circle { fill: #1f3a5f; } circle.gone { fill: #bbb; }
circle.within { fill: none; stroke: #c8902e; stroke-width: 2; }
"""


def picture(infos: Iterable[DbInfo]) -> str:
    """Return the graph of all links that EInfo lists, identical for the same databases.

    Databases that links lead to and EInfo does not list are drawn pale.
    """
    known = {info.name: info for info in infos}
    names: dict[Pair, list[str]] = defaultdict(list)
    for info in known.values():
        for link in info.links:
            names[info.name, link.dbto].append(link.name)
    degrees: dict[str, int] = dict.fromkeys(known, 0)
    for (one, other), linknames in names.items():
        for db in {one, other}:
            degrees[db] = degrees.get(db, 0) + len(linknames)
    order = sorted(degrees, key=lambda db: (-degrees[db], db))
    places = {db: 2 * math.pi * (n / len(order) - 0.25) for n, db in enumerate(order)}
    pairs = sorted({(min(pair), max(pair)) for pair in names if pair[0] != pair[1]})
    linked = sum(map(len, names.values()))
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" '
            f'width="{SIZE}" height="{SIZE}" role="img">',
            f"<title>{linked} linknames between {len(order)} databases</title>",
            f"<style>{_STYLE}</style>",
            f'<rect width="{SIZE}" height="{SIZE}" fill="#fff"/>',
            '<text class="title" x="24" y="34">Links between the databases of Entrez</text>',
            f'<text class="note" x="24" y="60">{linked} linknames, {len(order)} databases; '
            "the wider a curve, the more linknames</text>",
            *(_curve(pair, places, names) for pair in pairs),
            *(_node(db, places[db], degrees[db], known, names) for db in order),
            "</svg>\n",
        ]
    )


def _curve(pair: Pair, places: Mapping[str, float], names: Mapping[Pair, list[str]]) -> str:
    one, other = pair
    (x1, y1), (x2, y2) = _point(places[one]), _point(places[other])
    middle = SIZE / 2
    bend_x = middle + _BEND * ((x1 + x2) / 2 - middle)
    bend_y = middle + _BEND * ((y1 + y2) / 2 - middle)
    ways = [way for way in (pair, (other, one)) if names.get(way)]
    width = 0.8 * math.sqrt(sum(len(names[way]) for way in ways))
    told = "\n".join(_way(way, names[way]) for way in ways)
    return (
        f'<path d="M{x1:.1f} {y1:.1f}Q{bend_x:.1f} {bend_y:.1f} {x2:.1f} {y2:.1f}" '
        f'stroke-width="{width:.2f}"><title>{told}</title></path>'
    )


def _node(
    db: str,
    angle: float,
    degree: int,
    known: Mapping[str, DbInfo],
    names: Mapping[Pair, list[str]],
) -> str:
    x, y = _point(angle)
    size = 3 + 0.35 * math.sqrt(degree)
    told = [f"{_safe(db)}: {degree} linknames"]
    info = known.get(db)
    if info is None:
        told.append("not listed by EInfo")
    elif info.count is not None:
        told.append(f"{info.count:,} records")
    gone = "" if info else ' class="gone"'
    within = names.get((db, db))
    ring = ""
    if within:
        title = f"<title>{_way((db, db), within)}</title>"
        ring = (
            f'<circle class="within" cx="{x:.1f}" cy="{y:.1f}" r="{size + 4:.1f}">{title}</circle>'
        )
    return (
        f'{ring}<circle{gone} cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}">'
        f"<title>{', '.join(told)}</title></circle>{_label(db, angle, gone)}"
    )


def _label(db: str, angle: float, gone: str) -> str:
    """Return the name outside the circle, along its radius, never upside down."""
    x, y = _point(angle, RADIUS + 18)
    degrees, anchor = math.degrees(angle), "start"
    if math.cos(angle) < -1e-9:
        degrees, anchor = degrees + 180, "end"
    return (
        f'<text{gone} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" '
        f'transform="rotate({degrees:.1f} {x:.1f} {y:.1f})">{_safe(db)}</text>'
    )


def _way(pair: Pair, linknames: list[str]) -> str:
    return f"{_safe(pair[0])} → {_safe(pair[1])}: {', '.join(map(_safe, sorted(linknames)))}"


def _safe(text: str) -> str:
    return escape(printable(text, 60), {'"': "&quot;"})


def _point(angle: float, radius: float = RADIUS) -> tuple[float, float]:
    return SIZE / 2 + radius * math.cos(angle), SIZE / 2 + radius * math.sin(angle)
