"""Charts of the results of a harvest, as Vega-Lite specifications."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from harvester.report.drawing import (
    AMBER,
    BLUE,
    GREY,
    GRID,
    NARROW,
    RED,
    TEAL,
    TEXT,
    Spec,
    color_encoding,
    counts_axis,
    decades,
    lookup,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.report.facts import Distribution, LinkCount, TopTargets

_OUTCOMES = {"linked": BLUE, "empty": GREY, "missing": AMBER, "failed": RED, "open": GRID}

_NAME_WIDTH = 0.42
"""Maximum share of the width for names beside bars."""


def outcomes(uids: dict[str, int], width: int) -> Spec:
    """Return one bar of all UIDs, divided by outcome."""
    counts = {name: uids.get(name, 0) for name in _OUTCOMES if name != "open"}
    counts["open"] = max(uids.get("total", 0) - sum(counts.values()), 0)
    shown = {name: count for name, count in counts.items() if count}
    return {
        "height": 44,
        "data": {"values": [{"outcome": n, "uids": c, "order": i}
                            for i, (n, c) in enumerate(shown.items())]},
        "mark": {"type": "bar", "height": 26},
        "encoding": {
            "x": {"field": "uids", "type": "quantitative", "stack": "zero", "title": "UIDs",
                  "axis": counts_axis(width), "scale": {"nice": False}},
            "order": {"field": "order"},
            "color": color_encoding("outcome", {name: _OUTCOMES[name] for name in shown}, width),
        },
    }  # fmt: skip


def bars(rows: Sequence[tuple[str, int]], title: str, width: int, color: str = BLUE) -> Spec:
    """Return horizontal bars with a name and a number each, in the order given."""
    most = max((count for _, count in rows), default=1)
    names = int(width * _NAME_WIDTH)
    values = [{"name": f"{n}", "label": name, "count": count, "text": f"{count:,}"}
              for n, (name, count) in enumerate(rows)]  # fmt: skip
    y = {
        "field": "name", "type": "ordinal", "sort": None, "title": None,
        "axis": {"labels": width > NARROW, "labelLimit": names, "domain": False, "ticks": False,
                 "labelPadding": 6,
                 "labelExpr": lookup({str(place): name for place, (name, _) in enumerate(rows)})},
    }  # fmt: skip
    room = 1.5 if width == NARROW else 1.22  # for the numbers behind the bars
    x = {
        "field": "count", "type": "quantitative", "title": title,
        "axis": {**counts_axis(width), "tickCount": 3},
        "scale": {"domain": [0, most * room], "nice": False},
    }  # fmt: skip
    above = {
        "mark": {"type": "text", "align": "left", "dy": -15, "color": TEXT, "fontSize": 12,
                 "limit": width - 12},
        "encoding": {"text": {"field": "label"}, "x": {"datum": 0}},
    }  # fmt: skip
    return {
        "height": {"step": 22 if width > NARROW else 36},
        "data": {"values": values},
        "encoding": {"y": y, "x": x},
        "layer": [
            {"mark": {"type": "bar", "color": color, "height": 14}},
            {"mark": {"type": "text", "align": "left", "dx": 4, "color": TEXT, "fontSize": 12},
             "encoding": {"text": {"field": "text"}}},
            *([above] if width == NARROW else []),
        ],
    }  # fmt: skip


def linknames(counts: Sequence[LinkCount], noun: str, width: int) -> Spec:
    """Return the rows of each linkname as bars; `noun` says what they are."""
    return bars([(one.linkname or one.dbto or "(none)", one.links) for one in counts], noun, width)


def targets(top: TopTargets, width: int) -> Spec:
    """Return the targets of one linkname as bars."""
    rows = [(str(one.uid), one.inputs) for one in top.targets]
    return bars(rows, "input UIDs that link to it", width, TEAL)


def per_uid(found: Distribution) -> Spec:
    """Return the distribution of links per UID on logarithmic axes."""
    rows = [
        {
            "links": round(math.sqrt(one.least * one.most), 3),
            "uids": one.uids / (one.most - one.least + 1),
        }
        for one in found.bins
        if one.least
    ]
    log = {"type": "log", "nice": False}
    fewest, most = min(row["uids"] for row in rows), max(row["uids"] for row in rows)
    return {
        "height": 230,
        "data": {"values": rows},
        "encoding": {
            "x": {"field": "links", "type": "quantitative", "title": "links of a UID",
                  "scale": {**log, "domain": [rows[0]["links"] * 0.9, rows[-1]["links"] * 1.2]},
                  "axis": {"values": decades(rows[0]["links"], rows[-1]["links"]), "format": "~s"}},
            "y": {"field": "uids", "type": "quantitative", "title": "UIDs per number of links",
                  "scale": {**log, "domain": [fewest * 0.7, most * 1.4]},
                  "axis": {"values": decades(fewest, most),
                           "format": "~s" if fewest >= 1 else "~g"}},
        },
        "layer": [
            {"mark": {"type": "line", "color": BLUE, "strokeWidth": 1, "opacity": 0.5}},
            {"mark": {"type": "point", "color": BLUE, "filled": True, "size": 34, "opacity": 1}},
        ],
    }  # fmt: skip
