"""Draw Vega-Lite specifications as static SVG, without a script.

Each chart is drawn for wide and for narrow screens, in colours that the page replaces in its dark
scheme (see `page.css`).
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from harvester.report.extra import extra

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Spec: TypeAlias = dict[str, Any]

FULL, HALF, NARROW = 1016, 484, 310
"""Widths in CSS pixels: of the page, of one of two columns, of a small screen."""

TEXT, GRID = "#4b5563", "#d5dae0"
BLUE, GREY, AMBER, RED = "#2563c9", "#89929d", "#b45309", "#c0262d"
GREEN, PURPLE, TEAL = "#1a7f5a", "#7c4dbd", "#0e7490"

_CONFIG: Spec = {
    "aria": False,
    "background": None,
    "font": "system-ui, 'DejaVu Sans', Verdana, sans-serif",  # wide, for measuring only
    "view": {"stroke": None},
    "axis": {
        "labelColor": TEXT, "titleColor": TEXT, "tickColor": GRID, "domainColor": GRID,
        "gridColor": GRID, "labelFontSize": 12, "titleFontSize": 12, "titleFontWeight": "normal",
        "gridDash": [2, 3],
    },
    "axisX": {"grid": False},
    "axisY": {"domain": False, "ticks": False},
    "legend": {
        "orient": "top", "title": None, "labelColor": TEXT, "labelFontSize": 12, "offset": 6,
        "symbolStrokeWidth": 2, "symbolOpacity": 1, "labelLimit": 260,
    },
}  # fmt: skip


_SHORT = (
    "datum.value % 1 ? '' : datum.value >= 1e6 ? format(datum.value / 1e6, ',') + ' M' : "
    "datum.value >= 1e4 ? format(datum.value / 1e3, ',') + ' k' : format(datum.value, ',')"
)
"""Labels of an axis of counts, which may be large; none between whole numbers."""

_NEEDLESS = tuple(
    map(
        re.compile,
        (
            r' (?:class|role|aria-\w+|pointer-events|stroke-miterlimit|version)="[^"<>]*"',
            r' (?:opacity="1"|stroke-width="1"|fill-opacity="1")',
            r' (?:xmlns:xlink|font-family)="[^"<>]*"',
            r'<path d="(?:M0,0h0v0h0Z)?"(?: display="none")?/>',
        ),
    )
)
"""What an SVG of Vega does not need within a page that has styles of its own."""

_ATTRIBUTE, _DECIMALS = re.compile(r' (?:d|transform|x2|y2)="[^"<>]*"'), re.compile(r"\d+\.\d{2,}")


@dataclass(frozen=True, slots=True)
class Drawing:
    """One chart as SVG.

    Attributes:
        wide: for a wide screen and for print.
        narrow: for a small screen.
    """

    wide: str
    narrow: str


def draw(spec_of: Callable[[int], Spec], wide: int = FULL) -> Drawing:
    """Return a chart drawn at its two widths.

    Args:
        spec_of: returns the specification for a width in pixels.
        wide: width on wide screens.

    Raises:
        BadInput: the library that draws is not installed.
    """
    return Drawing(_svg(spec_of(wide), wide), _svg(spec_of(NARROW), NARROW))


def _svg(spec: Spec, width: int) -> str:
    vl_convert = extra("vl_convert")
    svg: str = vl_convert.vegalite_to_svg(
        {
            "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
            "width": width,
            "autosize": {"type": "fit-x", "contains": "padding"},
            "padding": 2,
            "config": _CONFIG,
            **_printable(spec),
        },
        vl_version="5.20",
        allowed_base_urls=[],
    )
    for needless in _NEEDLESS:
        svg = needless.sub("", svg)
    return _ATTRIBUTE.sub(lambda attribute: _DECIMALS.sub(_shorter, attribute[0]), svg)


def _printable(value: Any) -> Any:
    """Return a specification without control characters: the library ends the process on them."""
    if isinstance(value, str):
        return "".join(char if char.isprintable() else "?" for char in value)
    if isinstance(value, dict):
        return {key: _printable(one) for key, one in value.items()}
    return [_printable(one) for one in value] if isinstance(value, list) else value


def _shorter(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def color_encoding(
    field: str, colors: Mapping[str, str], width: int, symbol: str = "square"
) -> Spec:
    """Return the encoding of a field by colour, with a legend that fits the width."""
    columns = 0 if width > NARROW and len(colors) < 6 else 2 if width > NARROW else 1
    return {
        "field": field, "type": "nominal",
        "scale": {"domain": list(colors), "range": list(colors.values())},
        "legend": {"columns": columns, "symbolType": symbol, "columnPadding": 18},
    }  # fmt: skip


def counts_axis(width: int) -> Spec:
    """Return the axis of counts."""
    return {"labelExpr": _SHORT, "tickCount": 3 if width == NARROW else 6}


def lookup(labels: Mapping[Any, str]) -> str:
    """Return an expression of Vega that labels the values of an axis.

    Every label is a quoted literal of JSON, so its text cannot become part of the expression.
    """
    return (
        f"({json.dumps(_printable({f'{key}': text for key, text in labels.items()}))})[datum.value]"
    )


def decades(least: float, most: float) -> list[float]:
    """Return the powers of ten in a range; those of two and five too where there are few."""
    first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
    factors = (1, 2, 5) if last - first <= 2 else (1,)
    ticks = [factor * 10.0**power for power in range(first, last + 1) for factor in factors]
    return [tick for tick in ticks if least * 0.75 <= tick <= most * 1.4]
