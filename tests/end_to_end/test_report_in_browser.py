"""The report page in headless Chromium: no errors, nothing loaded, all charts visible.

Screenshots of every width and colour scheme are kept in `build/report`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from support.reported_harvest import make_harvest
from unit.report.test_page import HOSTILE, HOSTILE_NAMES

from harvester.api.report import write_report

if TYPE_CHECKING:
    from collections.abc import Iterator

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed"
)

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
if not Path(CHROMIUM).exists():
    pytest.skip("Debian's chromium is not installed", allow_module_level=True)

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
KEPT = Path(__file__).parents[2] / "build" / "report"
SIZES = (360, 1440)


class Seen:
    """A page that was opened, with its console messages and requests.

    Args:
        browser: opens it.
        url: of the page.
        width: of the window.
        scheme: `light` or `dark`.
    """

    def __init__(self, browser: Any, url: str, width: int, scheme: str = "light") -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        self.page = context.new_page()
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(f"dialog {dialog.message}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(url)

    def close(self) -> None:
        self.page.context.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Name → URL of an ordinary page, and of one with malicious texts."""
    found = {}
    for name, options in (
        ("usual", {}),
        ("hostile", {"names": HOSTILE_NAMES, "reasons": HOSTILE, "unanswered": 400}),
    ):
        folder = tmp_path_factory.mktemp("browser") / name
        make_harvest(folder, hours=0.25, **options)  # type: ignore[arg-type]
        write_report(folder)
        found[name] = (folder / "report.html").as_uri()
    KEPT.mkdir(parents=True, exist_ok=True)
    return found


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [
        *(("usual", width, scheme) for width in SIZES for scheme in ("light", "dark")),
        ("hostile", 360, "light"),
        ("hostile", 1440, "dark"),
    ],
)
def test_every_chart_is_seen_and_nothing_else_happens(
    browser: Any, pages: dict[str, str], name: str, width: int, scheme: str
) -> None:
    seen = Seen(browser, pages[name], width, scheme)
    try:
        seen.page.screenshot(path=KEPT / f"{name}-{width}-{scheme}.png", full_page=True)
        assert seen.said == []
        assert seen.asked == [pages[name]]
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width
        boxes = seen.page.evaluate(
            """[...document.querySelectorAll('figure')].map(figure =>
                [...figure.querySelectorAll('svg')].map(svg => svg.getBoundingClientRect())
                    .filter(box => box.width > 0)
                    .map(box => [box.left, box.right, box.height]))"""
        )
        assert len(boxes) == 3 + 5 + 6
        for shown in boxes:
            ((left, right, height),) = shown  # one of both drawings
            assert left >= 0
            assert right <= width
            assert right - left > 200
            assert height > 40
    finally:
        seen.close()


@pytest.mark.parametrize(
    ("name", "scheme"), [("usual", "light"), ("usual", "dark"), ("hostile", "light")]
)
def test_axe_finds_nothing(browser: Any, pages: dict[str, str], name: str, scheme: str) -> None:
    seen = Seen(browser, pages[name], 1440, scheme)
    try:
        seen.page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        found = axe.Axe().run(seen.page).response["violations"]
        assert [(one["id"], one["impact"], one["nodes"][0]["html"]) for one in found] == []
    finally:
        seen.close()


def test_colours_of_charts_follow_the_scheme(browser: Any, pages: dict[str, str]) -> None:
    """Each chart colour has a style rule, so it changes in the dark scheme."""
    colours = []
    for scheme in ("light", "dark"):
        seen = Seen(browser, pages["usual"], 1440, scheme)
        colours.append(
            seen.page.evaluate(
                """[...document.querySelectorAll('svg [fill^="#"], svg [stroke^="#"]')].map(one =>
                    getComputedStyle(one)[one.hasAttribute('fill')
                        && one.getAttribute('fill').startsWith('#') ? 'fill' : 'stroke'])"""
            )
        )
        seen.close()
    light, dark = colours
    assert len(light) > 200
    assert not [before for before, after in zip(light, dark, strict=True) if before == after]


def test_print_is_some_pages_of_light_paper(browser: Any, pages: dict[str, str]) -> None:
    seen = Seen(browser, pages["usual"], 1440, "dark")
    try:
        printed = seen.page.pdf(path=KEPT / "usual.pdf", format="A4")
        assert 1 < printed.count(b"/Type /Page\n") <= 8
        seen.page.emulate_media(media="print")
        background = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert background == "rgb(255, 255, 255)"
        hidden = seen.page.evaluate(
            "[...document.querySelectorAll('details:not([open])')]"
            ".filter(one => getComputedStyle(one).display != 'none').length"
        )
        assert hidden == 0
    finally:
        seen.close()


def test_scrolling_tables_can_be_reached_by_keyboard(browser: Any, pages: dict[str, str]) -> None:
    seen = Seen(browser, pages["usual"], 360)
    try:
        summary = seen.page.locator("summary").first
        summary.focus()
        seen.page.keyboard.press("Enter")
        assert seen.page.evaluate("document.querySelector('details').open")
        seen.page.keyboard.press("Tab")
        assert seen.page.evaluate("document.activeElement.className") == "scroll"
    finally:
        seen.close()
