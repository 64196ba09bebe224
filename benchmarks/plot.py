"""Draw the figures of `benchmarks.peers`: `python -m benchmarks.plot FIGURES.jsonl PLOT.svg`.

Needs matplotlib, which the extra `bench` installs. The same figures give the same file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, NullLocator

from benchmarks.peers import CPU_MANY, PACE, PERMITTED, Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

STYLE: dict[Any, Any] = {  # newer versions have a type for all keys
    "svg.fonttype": "none",  # text that can be searched, in the reader's own font
    "svg.hashsalt": "peers",  # the same names inside the file each time
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

LOOKS = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "D"), ("#E69F00", "v"))
"""Colours of Okabe and Ito (distinguishable with colour blindness), with markers."""

OTHERS = ("#56B4E9", "P"), ("#000000", "X")
"""Colours and markers of further clients."""


def draw(figures: Iterable[Figure], path: Path) -> None:
    """Write an SVG of two panels: the pace at each latency, and the CPU per million links."""
    known = list(figures)
    clients = list(dict.fromkeys(figure.client for figure in known))
    looks = dict(zip(clients, LOOKS + OTHERS, strict=False))
    with mpl.rc_context(STYLE):
        canvas = Canvas(figsize=(10, 4), layout="constrained")
        FigureCanvasSVG(canvas)
        left, right = canvas.subplots(1, 2, width_ratios=(5, 4))
        _paces(left, [one for one in known if one.measure == PACE], looks)
        _bars(right, [one for one in known if one.measure == CPU_MANY], looks)
        canvas.savefig(path, format="svg", metadata={"Date": None, "Creator": None})


def _paces(axes: Any, figures: Sequence[Figure], looks: dict[str, tuple[str, str]]) -> None:
    """Plot UIDs per second over seconds per response: one line per client."""
    axes.set_yscale("log")
    axes.axhline(PERMITTED, color="0.5", linewidth=1, linestyle="--")
    axes.annotate(
        f"permitted: {PERMITTED:,}",
        (1, PERMITTED),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        xytext=(0, 4),
        ha="right",
        color="0.3",
    )
    for client, (colour, mark) in looks.items():
        own = [one for one in figures if one.client == client and one.value is not None]
        points = sorted((one.latency or 0.0, one.value or 0.0) for one in own)
        if points:
            x, y = zip(*points, strict=True)
            label = f"{client} *" if any(one.on_many for one in own) else client
            axes.plot(x, y, color=colour, marker=mark, markersize=6, label=label)
    axes.set_xlim(left=0)
    axes.set_ylim(top=PERMITTED * 3)
    latencies = sorted({one.latency for one in figures if one.latency is not None})
    axes.set_xticks(latencies, [f"{latency:g}" for latency in latencies])
    star = "\n* on related articles, unable to do full texts"
    axes.set_xlabel("seconds per response" + (star if any(one.on_many for one in figures) else ""))
    axes.set_title("UIDs per second", loc="left")
    axes.yaxis.set_major_formatter(FuncFormatter(_number))
    axes.yaxis.set_minor_locator(NullLocator())
    fastest_first = sorted(axes.lines[1:], key=lambda line: -line.get_ydata()[-1])
    axes.legend(handles=fastest_first, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _bars(axes: Any, figures: Sequence[Figure], looks: dict[str, tuple[str, str]]) -> None:
    """Plot CPU seconds per million links: one bar per client."""
    done = sorted((one.value, one.client) for one in figures if one.value is not None)
    values, names = [value for value, _ in done], [name for _, name in done]
    bars = axes.barh(names, values, color=[looks[name][0] for name in names], height=0.6)
    axes.bar_label(bars, [_number(value) for value in values], padding=4)
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 3, max(values) * 3)
    axes.invert_yaxis()  # the least expensive at the top
    axes.set_title("CPU-seconds per million links", loc="left")
    axes.xaxis.set_major_formatter(FuncFormatter(_number))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(axis="y", length=0)


def _number(value: float, _position: int | None = None) -> str:
    """Format a number with few digits: 0.22, 9.1, 28, 2,000."""
    digits = 0 if value >= 10 else 1 if value >= 1 else 2
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if digits else text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path, help="what `python -m benchmarks.peers` printed")
    parser.add_argument("plot", type=Path)
    options = parser.parse_args()
    lines = options.figures.read_text().splitlines()
    draw((Figure(**json.loads(line)) for line in lines), options.plot)


if __name__ == "__main__":
    main()
