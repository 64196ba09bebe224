"""The page of a report: complete, small, and inert for any text from NCBI."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from functools import partial
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import duckdb
import pytest
from support.reported_harvest import make_harvest

from harvester.report import charts
from harvester.report.drawing import FULL, draw
from harvester.report.facts import Course, Moment
from harvester.report.texts import headline
from harvester.report.time_charts import TimeCharts
from harvester.report.write import write_report
from harvester.store.reader import HarvestReader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)><svg onload=alert(3)>',
    "</style></svg><iframe src=https://evil.example/>{{7*7}}{% raw %}",
    "\x1b[31mred\x07\u202e]]>--> ${alert(4)} `",
    "javascript:alert(5)//" + "long" * 200,
)
HOSTILE_NAMES = (
    "pubmed_<b>x</b>", "pubmed_\"]});alert(6);//", "pubmed_'+alert(7)+'", "pubmed_&lt;script&gt;",
    "pubmed_" + "W" * 300,
)  # fmt: skip


class Page(HTMLParser):
    """The elements of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def count(self, tag: str) -> int:
        return sum(one == tag for one, _ in self.elements)


@pytest.fixture(scope="module")
def harvest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "out"
    make_harvest(folder)
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "<i>out</i>"
    make_harvest(folder, names=HOSTILE_NAMES, reasons=HOSTILE, unanswered=3000)
    write_report(folder)
    return folder


def test_counts_are_those_of_the_files(harvest: Path) -> None:
    """DuckDB counts the same files."""
    (found,) = json.loads((harvest / "report.json").read_text())["harvests"]
    links, uids = (f"read_parquet('{harvest}/{kind}/*.parquet')" for kind in ("links", "uids"))

    def ask(query: str) -> list[tuple[object, ...]]:
        return duckdb.execute(query).fetchall()

    assert [(one["dbto"], one["linkname"], one["links"]) for one in found["by_linkname"]] == ask(
        f"SELECT dbto, linkname, count(*) AS n FROM {links} GROUP BY ALL ORDER BY n DESC"
    )
    assert {key: found["uids"][key] for key in ("linked", "empty", "missing", "failed")} == dict(
        ask(f"SELECT outcome, count(*) FROM {uids} GROUP BY ALL")  # type: ignore[arg-type]
    )
    per_uid = found["per_uid"]
    assert [(per_uid["uids"], per_uid["mean"], per_uid["most"])] == ask(
        f"SELECT count(*), avg(links), max(links) FROM {uids} WHERE outcome IN ('linked', 'empty')"
    )
    for top in found["top"]:
        counted = ask(
            f"SELECT to_uid, count(*) AS n FROM {links} WHERE linkname = '{top['linkname']}' "
            "GROUP BY ALL ORDER BY n DESC, to_uid LIMIT 10"
        )
        assert [one["inputs"] for one in top["targets"]] == [n for _, n in counted]
        least = counted[-1][1]
        first = {uid for uid, n in counted if n != least}
        assert first <= {one["uid"] for one in top["targets"]}
    reasons = {
        (one["outcome"], one["reason"]): one["uids"] for one in found["unanswered"]["reasons"]
    }
    assert reasons == {
        (outcome, reason): n
        for outcome, reason, n in ask(
            f"SELECT outcome, reason, count(*) FROM {uids} WHERE reason IS NOT NULL GROUP BY ALL"
        )
    }
    assert [tuple(one) for one in found["unanswered"]["first"]] == ask(
        f"SELECT from_uid::VARCHAR, outcome, reason FROM {uids} WHERE reason IS NOT NULL "
        "ORDER BY from_uid LIMIT 1000"
    )


def test_the_course_keeps_the_sums_of_the_timeline(harvest: Path) -> None:
    (found,) = json.loads((harvest / "report.json").read_text())["harvests"]
    timeline = HarvestReader.open(harvest).timeline
    assert timeline is not None
    whole, course = timeline.total(), found["course"]
    assert course["totals"]["sent"] == whole.sent
    assert sum(course["retried"].values()) == whole.retried.total()
    sent = sum(one["requests"] * one["seconds"] for one in course["moments"])
    assert sent == pytest.approx(whole.sent, rel=0.01)
    kinds = [(one["kind"], one["text"]) for one in course["periods"]]
    assert kinds == [
        ("run", ""),  # it was killed
        ("outage", "HTTP 503 (Service Unavailable)"),
        ("run", "complete_with_failures"),
        ("hours", ""),
    ]


@pytest.mark.parametrize("which", ["harvest", "hostile"])
def test_the_page_loads_nothing_and_runs_nothing(
    which: str, request: pytest.FixtureRequest
) -> None:
    page = Page((request.getfixturevalue(which) / "report.html").read_text())
    tags = {tag for tag, _ in page.elements}
    assert not tags & {
        "script",
        "iframe",
        "img",
        "object",
        "embed",
        "link",
        "base",
        "form",
        "image",
    }
    for tag, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag
        for name in ("src", "srcset", "xlink:href", "action", "data"):
            assert name not in attributes
        href = attributes.get("href")
        assert href is None or href.startswith(("#", "https://")), href
        if href and href.startswith("https://"):
            assert re.match(r"https://[a-z.]+\.ncbi\.nlm\.nih\.gov/", href), href


@pytest.mark.parametrize("which", ["harvest", "hostile"])
def test_the_policy_forbids_all_but_the_page_s_own_style(
    which: str, request: pytest.FixtureRequest
) -> None:
    text = (request.getfixturevalue(which) / "report.html").read_text()
    css = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert len(css) == 1
    digest = base64.b64encode(hashlib.sha256(css[0].encode()).digest()).decode()
    policies = [
        attributes["content"]
        for tag, attributes in Page(text).elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    ]


@pytest.mark.parametrize("which", ["harvest", "hostile"])
def test_the_page_has_all_charts_each_well_formed_and_labelled(
    which: str, request: pytest.FixtureRequest
) -> None:
    text = (request.getfixturevalue(which) / "report.html").read_text()
    drawings = re.findall(r"<svg.*?</svg>", text, re.DOTALL)
    assert len(drawings) == 2 * (3 + 5 + 6), "each is drawn for wide and for narrow screens"
    for drawing in drawings:
        names = {one.tag.rpartition("}")[2] for one in ET.fromstring(drawing).iter()}
        assert names <= {
            "svg",
            "g",
            "path",
            "line",
            "text",
            "tspan",
            "rect",
            "defs",
            "clipPath",
            "title",
        }
    page = Page(text)
    labels = [
        a["aria-label"] for tag, a in page.elements if tag == "div" and a.get("role") == "img"
    ]
    assert len(labels) == len(drawings)
    assert all(labels)


def test_hostile_texts_are_shown_as_they_are(hostile: Path) -> None:
    page = Page((hostile / "report.html").read_text())
    shown = "\n".join(page.texts)
    for text in (*HOSTILE[:2], HOSTILE_NAMES[0], HOSTILE_NAMES[1], HOSTILE_NAMES[3], "<i>out</i>"):
        assert text in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "{{7*7}}" in shown, "it is no template"


@pytest.mark.parametrize("which", ["harvest", "hostile"])
def test_the_page_stays_below_a_megabyte(which: str, request: pytest.FixtureRequest) -> None:
    assert (request.getfixturevalue(which) / "report.html").stat().st_size < 1_000_000


def test_nothing_of_the_contact_is_in_the_report(harvest: Path) -> None:
    for name in ("report.html", "report.json"):
        assert "nobody@example.org" not in (harvest / name).read_text()


def test_an_earlier_folder_has_a_page_that_says_what_it_lacks(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    make_harvest(folder, answered=20, unanswered=0, timeline=False)
    report = write_report(folder)
    assert report.harvests[0].course is None
    assert "no record of its course" in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    "text", ["\x1b[31m", "a\x00b", "\ud800", "\ufffe", "]]>", '"});alert(1)//']
)
def test_any_text_can_be_drawn(text: str) -> None:
    """The drawing library ends the process at characters that XML does not permit."""
    drawing = draw(partial(charts.bars, [(text, 3)], text))
    assert drawing.wide.startswith("<svg")
    ET.fromstring(drawing.wide)


@pytest.mark.parametrize("most", [1, 2, 3])
def test_axes_of_small_counts_have_whole_numbers_each_once(most: int) -> None:
    course = Course(
        interval=64, moments=[replace(_moment(at), retried={"cut": most}) for at in (0, 64)],
        periods=[], counts={}, totals={}, latency={}, retried={"cut": 2 * most}, limited={},
    )  # fmt: skip
    for chart in (partial(charts.bars, [("1", most)], "UIDs"), TimeCharts(course).retries):
        texts = re.findall(r">([^<>]+)</text>", draw(chart).wide)
        labels = [text for text in texts if re.fullmatch(r"[0-9.]+", text)]
        expected = {str(number) for number in range(most + 1)}
        assert expected >= {*labels} >= {"0", str(most)}
        assert labels.count("0") == 1


def test_headline_figures_of_a_short_run_are_no_zeros(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    make_harvest(folder, answered=20, unanswered=0)
    report = write_report(folder)
    (course,) = (one.course for one in report.harvests)
    assert course is not None
    short = replace(course, totals={**course.totals, "seconds": 0.25})
    lines = headline(
        replace(
            report,
            harvests=[replace(report.harvests[0], course=short)],
            requests={**report.requests, "retried": 1},
        )
    )
    assert any("1 batch retried" in line for line in lines)
    (ran,) = (line for line in lines if line.startswith("Run time"))
    assert ran == "Run time: 0.25 s (in 2 runs)", "not 1,000,000 requests per second"


def test_stacked_areas_go_on_after_a_short_pause() -> None:
    """A run that was killed and resumed at once leaves a gap of its length, not of hours."""
    moments = [_moment(at) for at in (0, 64, 192, 256, 320)]  # 128 is missing
    course = Course(
        interval=64, moments=moments, periods=[], counts={}, totals={}, latency={}, retried={},
        limited={"rate": 320.0},
    )  # fmt: skip
    (layer,) = TimeCharts(course).limits(FULL)["layer"]
    rows = [(row["x"], row["v"]) for row in layer["data"]["values"]]
    assert rows == [(0, 1.0), (128, 0.0), (192, 1.0), (384, 0.0)]


def _moment(at: float) -> Moment:
    return Moment(
        at=at, seconds=64, requests=1, permitted=1, p50=None, p90=None, p99=None, batch_size=None,
        in_flight=0, settled=0, links=0, rate_limited=0, retried={}, limited={"rate": 1.0},
    )  # fmt: skip
