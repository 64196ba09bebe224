"""Charts of the course of a harvest over time, as Vega-Lite specifications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from harvester.report.drawing import (
    AMBER,
    BLUE,
    FULL,
    GREEN,
    GREY,
    HALF,
    PURPLE,
    RED,
    TEAL,
    Spec,
    color_encoding,
    counts_axis,
    decades,
    lookup,
)
from harvester.report.time_axis import TimeAxis
from harvester.wording import limited_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from harvester.report.facts import Course, Moment

Row: TypeAlias = dict[str, Any]

_LIMITS = {
    "rate": GREEN, "server": AMBER, "disk": PURPLE, "concurrency": TEAL, "outage": RED,
    "limiter": BLUE, "hours": GREY,
}  # fmt: skip
_RETRIES = (AMBER, RED, PURPLE, TEAL, BLUE, GREEN)
_REASONS = 5
"""Maximum reasons of retries drawn separately; the others are drawn together."""


class TimeCharts:
    """The charts of a course, which share their time axis."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._axis = TimeAxis.of([one.at for one in course.moments], course.interval)

    @property
    def is_cut(self) -> bool:
        """True if times without a run are left out."""
        return len(self._axis.stretches) > 1

    def requests(self, width: int) -> Spec:
        """Return requests per second below the permitted rate, with outages and new runs."""
        colors = {"sent": BLUE, "permitted": GREEN}
        sent = self._steps(lambda one: {"sent": one.requests}.items())
        permitted = self._steps(lambda one: {"permitted": one.permitted}.items())
        bands = [
            {"x": self._axis.place(one.begin), "x2": self._axis.place(one.end)}
            for one in self._course.periods
            if one.kind == "outage"
        ]
        resumed = [one.begin for one in self._course.periods if one.kind == "run"][1:]
        encoding = self._filled(colors, width)
        layers: list[Spec] = []
        if bands:
            layers.append({
                "data": {"values": bands},
                "mark": {"type": "rect", "color": RED, "opacity": 0.22},
                "encoding": {"x2": {"field": "x2"}},
            })  # fmt: skip
        layers += [
            {"data": {"values": sent}, "mark": self._area(0.3), "encoding": encoding},
            {"data": {"values": permitted}, "mark": {**self._line(), "strokeDash": [5, 3]},
             "encoding": encoding},
        ]  # fmt: skip
        if resumed:
            rules = [{"x": self._axis.place(moment)} for moment in resumed]
            rule = {"type": "rule", "color": PURPLE, "strokeDash": [2, 2]}
            layers.append({"data": {"values": rules}, "mark": rule})
        most = max(0.1, *(one["v"] for one in [*sent, *permitted]))
        return self._chart(width, 190, "requests per second", layers, [0, most * 1.08])

    def latency(self, width: int) -> Spec:
        """Return the latency that 50, 90 and 99 % of the answers did not exceed."""
        names = {"p50": "50 %", "p90": "90 %", "p99": "99 %"}
        colors = dict(zip(names.values(), (BLUE, PURPLE, AMBER), strict=True))
        rows = [
            {"x": x, "v": value, "name": label, "stretch": stretch}
            for x, stretch, one in self._middles()
            for key, label in names.items()
            if (value := getattr(one, key)) is not None
        ]
        return self._lines(width, rows, colors, "seconds")

    def batch_size(self, width: int) -> Spec:
        """Return the UIDs per request."""
        rows = [
            {"x": x, "v": one.batch_size, "name": "", "stretch": stretch}
            for x, stretch, one in self._middles()
            if one.batch_size is not None
        ]
        return self._lines(width, rows, {"": BLUE}, "UIDs per request")

    def in_flight(self, width: int) -> Spec:
        """Return the requests in flight."""
        rows = [
            {"x": x, "v": one.in_flight, "name": "", "stretch": stretch}
            for x, stretch, one in self._middles()
        ]
        return self._lines(width, rows, {"": PURPLE}, "requests in flight")

    def limits(self, width: int) -> Spec:
        """Return the shares of time in which each cause limited the harvest."""
        names = {key: limited_by(key) for key in _LIMITS if key in self._course.limited}  # type: ignore[arg-type]
        rows = self._steps(
            lambda one: ((names[key], one.limited.get(key, 0.0)) for key in names), to_zero=True
        )
        layer = {
            "data": {"values": rows},
            "mark": {**self._area(1.0), "line": False},
            "encoding": self._filled(
                {names[key]: _LIMITS[key] for key in names}, width, "normalize"
            ),
        }
        return self._chart(width, 120, "share of time", [layer], None, {"format": "%"})

    def retries(self, width: int) -> Spec:
        """Return the batches retried, by reason."""
        ranked = list(self._course.retried)
        names = [*ranked[:_REASONS], *(["other reasons"] if ranked[_REASONS:] else [])]

        def counts(one: Moment) -> Iterable[tuple[str, float]]:
            known = [(name, float(one.retried.get(name, 0))) for name in names[:_REASONS]]
            rest = sum(one.retried.get(name, 0) for name in ranked[_REASONS:])
            return [*known, ("other reasons", rest)] if ranked[_REASONS:] else known

        colors = dict(zip(names, _RETRIES, strict=False))
        layer = {
            "data": {"values": self._steps(counts, to_zero=True)},
            "mark": {**self._area(1.0), "line": False},
            "encoding": self._filled(colors, width, "zero"),
        }
        return self._chart(width, 150, "batches retried", [layer], None, counts_axis(width))

    def _middles(self) -> Iterable[tuple[float, int, Moment]]:
        half = self._course.interval / 2
        for one in self._course.moments:
            yield self._axis.place(one.at + half), self._axis.number(one.at), one

    def _steps(
        self, values: Callable[[Moment], Iterable[tuple[str, float]]], *, to_zero: bool = False
    ) -> list[Row]:
        """Return rows for a line in steps: one at the begin of each moment, one at each end.

        Args:
            values: returns the values of a moment, each with its name.
            to_zero: whether the values are 0 at the end of a stretch; stacked areas would go on.
        """
        rows: list[Row] = []
        last: tuple[int, list[float]] | None = None
        for place, one in enumerate(self._course.moments):
            number, end = self._axis.number(one.at), one.at + self._course.interval
            found = list(values(one))
            if last != (number, [value for _, value in found]):
                rows += self._rows(self._axis.place(one.at), found, number)
            last = number, [value for _, value in found]
            following = self._course.moments[place + 1 : place + 2]
            if not following or following[0].at != end:
                last_values = [(name, 0.0 if to_zero else value) for name, value in found]
                rows += self._rows(self._axis.place(end - 1e-6), last_values, number)
                last = None
        return rows

    @staticmethod
    def _rows(place: float, values: Iterable[tuple[str, float]], stretch: int) -> list[Row]:
        return [
            {"x": round(place, 3), "v": value, "name": name, "stretch": stretch}
            for name, value in values
        ]

    def _lines(self, width: int, rows: list[Row], colors: dict[str, str], title: str) -> Spec:
        values = [row["v"] for row in rows] or [0.0]
        is_log = "seconds" in title and min(values) > 0 and max(values) > 50 * min(values)
        encoding = self._filled(colors, width)
        if len(colors) == 1:
            encoding["color"] = {"value": next(iter(colors.values()))}
        mark = self._line() | {"interpolate": "linear"}
        if len(rows) < 40:
            mark["point"] = {"size": 14}
        layer = {"data": {"values": rows}, "mark": mark, "encoding": encoding}
        domain = [0, max(values) * 1.08 or 1] if not is_log else None
        chart = self._chart(width, 150, title, [layer], domain)
        if is_log:
            chart["encoding"]["y"]["scale"] = {"type": "log"}
            chart["encoding"]["y"]["axis"] |= {"values": decades(min(values), max(values))}
        return chart

    @staticmethod
    def _area(opacity: float) -> Spec:
        return {"type": "area", "interpolate": "step-after", "opacity": opacity,
                "line": {"strokeWidth": 1.5}}  # fmt: skip

    @staticmethod
    def _line() -> Spec:
        return {"type": "line", "interpolate": "step-after", "strokeWidth": 1.8}

    @staticmethod
    def _filled(colors: dict[str, str], width: int, stack: str | None = None) -> Spec:
        encoding: Spec = {
            "color": color_encoding("name", colors, width, "stroke" if stack is None else "square"),
            "detail": {"field": "stretch"},
        }
        y: Spec = {"field": "v", "type": "quantitative", "stack": stack}
        return {**encoding, "y": y}

    def _chart(
        self, width: int, height: int, title: str, layers: list[Spec],
        domain: list[float] | None, axis: Spec | None = None,
    ) -> Spec:  # fmt: skip
        ticks = self._axis.ticks(8 if width == FULL else 4 if width == HALF else 3)
        x_axis = {
            "title": None, "values": list(ticks), "labelOverlap": True, "labelFlush": True,
            "labelSeparation": 8, "labelExpr": lookup(ticks),
        }  # fmt: skip
        cuts = [{"x": place} for place in self._axis.cuts()]
        cut: list[Spec] = [
            {
                "data": {"values": cuts},
                "mark": {"type": "rule", "color": GREY, "strokeDash": [1, 3]},
            }
        ]
        y: Spec = {"title": title, "axis": {**(axis or {}), "tickCount": 4}}
        if domain is not None:
            y["scale"] = {"domain": domain, "nice": False}
        return {
            "height": height,
            "encoding": {
                "x": {"field": "x", "type": "quantitative", "axis": x_axis,
                      "scale": {"domain": [0, self._axis.length], "nice": False}},
                "y": y,
            },
            "layer": layers + (cut if cuts else []),
        }  # fmt: skip
