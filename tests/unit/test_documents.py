"""The documents name existing files, anchors and tests; generated parts are up to date."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from unit.test_layout import MAY_IMPORT

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
GENERATORS = [
    ROOT / "scripts" / f"{name}.py"
    for name in ("import_graph", "option_tables", "reference_tables", "schemas")
]

_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(r"\b(?:harvester|tests|benchmarks|configs|docs|scripts)/[\w./-]*\w(?:::\w+)?")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = _HEADING.findall(_FENCED.sub("", text_of(page)))
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for target in _LINK.findall(_FENCED.sub("", text_of(page))):
        if not target.startswith("https://"):
            name, _, anchor = target.partition("#")
            file = (page.parent / name).resolve() if name else page
            assert file.exists(), target
            assert not anchor or anchor in anchors(file), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_and_tests_exist(page: Path) -> None:
    for name in _PATH.findall(text_of(page)):
        path, _, test = name.partition("::")
        assert (ROOT / path).exists() or list(ROOT.glob(f"{path}*")), name
        if test:
            tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
            functions = ast.FunctionDef | ast.AsyncFunctionDef
            assert test in {one.name for one in ast.walk(tree) if isinstance(one, functions)}, name


def test_architecture_names_what_its_files_define() -> None:
    text = text_of(ROOT / "docs" / "architecture.md")
    named = re.findall(r"\]\(\.\./(harvester/[\w/]+\.py)\), `(\w+)`", text)
    assert len(named) >= 4
    for path, name in named:
        assert re.search(rf"\b(?:def|class) {name}\b", text_of(ROOT / path)), (path, name)


def test_reliability_names_tests() -> None:
    """Every row of its tables names the tests that prove it."""
    rows = [
        line
        for line in text_of(ROOT / "docs" / "reliability.md").splitlines()
        if line.startswith("| ") and not line.startswith(("| guarantee", "| ---"))
    ]
    assert len(rows) >= 20
    for row in rows:
        assert "tests/" in row.split("|")[3], row


def test_table_of_imports_is_the_one_that_is_enforced() -> None:
    rows = re.findall(
        r"^\| `(\w+)(?:/|\.py)` \| .* \| (.+) \|$",
        text_of(ROOT / "docs" / "architecture.md"),
        re.MULTILINE,
    )
    above: set[str] = set()
    for name, words in rows:
        expected = MAY_IMPORT[name]
        assert expected == (above if words == "all above" else set(words.split(", ")) - {"nothing"})
        above |= {name}
    assert above == MAY_IMPORT.keys() - {"__init__", "__main__", "testing"}


@pytest.mark.parametrize("script", GENERATORS, ids=lambda script: script.name)
def test_generated_documents_are_up_to_date(script: Path) -> None:
    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_named_make_targets_and_benchmarks_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for page in PAGES:
        text = text_of(page)
        named = re.findall(r"(?:`|^)make ([a-z]\w*)", text, re.MULTILINE)
        assert set(named) <= targets, page
        for name in re.findall(r"python -m benchmarks(?:\.| )(\w+)", text):
            assert (ROOT / "benchmarks" / f"{name}.py").exists() or name == "conformance", page


def test_named_options_exist() -> None:
    options = set(re.findall(r"`(-[\w-]+)`", text_of(ROOT / "docs" / "options.md")))
    options |= {"--help", "--strict"}  # of every command; of mypy
    for page in PAGES:
        for name in re.findall(r"(?<![\w-])(--[a-z][a-z-]+)", text_of(page)):
            assert name in options, f"{page.name}: {name}"


def test_every_page_is_on_the_site() -> None:
    listed = set(re.findall(r": ([\w/-]+\.md)$", text_of(ROOT / "mkdocs.yml"), re.MULTILINE))
    pages = {page.name for page in (ROOT / "docs").glob("*.md")}
    assert listed == pages | {"CHANGELOG.md", "CONTRIBUTING.md"}
