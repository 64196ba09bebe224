"""Draw docs/imports.svg: which folder of the package imports which.

The arrows come from the import statements, the texts from the folders' docstrings. An arrow is
left out if a longer path says the same; arrows that point up (see tests/unit/test_layout.py) are
not drawn. With --check, nothing is written; the exit code is 1 if the drawing is out of date.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "harvester"
DRAWING = ROOT / "docs" / "imports.svg"

PLACES = {  # name: (column, row); an import points to a row further down
    "cli": (1, 0),
    "api": (1, 1),
    "emulator": (2, 1),
    "runners": (1, 2),
    "runs": (1, 3),
    "export": (2, 3),
    "report": (0, 3),
    "engine": (0, 4),
    "sources": (2, 4),
    "client": (0, 5),
    "store": (2, 5),
    "eutils": (0, 6),
    "job": (0, 7),
    "wording": (2, 7),
    "errors": (0, 8),
    "model": (1, 8),
    "events": (2, 8),
}
FACE = {"__init__", "__main__", "testing"}  # only pass on the names of others

WIDTH, HEIGHT = 270, 64
STEP_X, STEP_Y, MARGIN = 320, 100, 20


def imports() -> dict[str, set[str]]:
    """Return the folders (and single modules) of the package that each of them imports."""
    found: dict[str, set[str]] = {name: set() for name in PLACES}
    for path in PACKAGE.rglob("*.py"):
        source = path.relative_to(PACKAGE).with_suffix("").parts[0]
        if source in FACE:
            continue
        if source not in PLACES:
            sys.exit(f"{path}: give {source} a place in PLACES of {__file__}")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            found[source] |= _targets(node) & PLACES.keys() - {source}
    return found


def _targets(node: ast.AST) -> set[str]:
    names: list[str] = []
    if isinstance(node, ast.ImportFrom) and node.module:
        names = [f"{node.module}.{alias.name}" for alias in node.names]
    elif isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("harvester.")}


def arrows(graph: dict[str, set[str]]) -> list[tuple[str, str]]:
    """Return the downward imports that no longer path implies."""
    down = {
        name: {target for target in targets if PLACES[target][1] > PLACES[name][1]}
        for name, targets in graph.items()
    }

    def reached(name: str) -> set[str]:
        return down[name].union(*map(reached, down[name]))

    return [
        (name, target)
        for name, targets in down.items()
        for target in sorted(targets)
        if not any(target in reached(other) for other in targets)
    ]


def draw() -> str:
    """Return the drawing as SVG."""
    rows = 1 + max(row for _, row in PLACES.values())
    width = 2 * MARGIN + 2 * STEP_X + WIDTH
    height = 2 * MARGIN + (rows - 1) * STEP_Y + HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif">',
        "<title>Which folder of harvester/ imports which</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0L8 4L0 8z" fill="#57606a"/></marker></defs>',
        f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff" stroke="#d0d7de"/>',
    ]
    lines += [_arrow(source, target) for source, target in arrows(imports())]
    lines += [line for name in PLACES for line in _box(name)]
    return "\n".join([*lines, "</svg>", ""])


def _corner(name: str) -> tuple[int, int]:
    column, row = PLACES[name]
    return MARGIN + column * STEP_X, MARGIN + row * STEP_Y


def _arrow(source: str, target: str) -> str:
    (x1, y1), (x2, y2) = _corner(source), _corner(target)
    shift = (x2 - x1) * WIDTH // (6 * STEP_X)  # arrows to the right leave right of the middle
    x1, x2 = x1 + WIDTH // 2 + shift, x2 + WIDTH // 2 - shift
    y1 += HEIGHT
    return (
        f'<path d="M{x1} {y1}L{x2} {y2 - 1}" stroke="#57606a" stroke-width="1.5" '
        'marker-end="url(#tip)"/>'
    )


def _box(name: str) -> list[str]:
    x, y = _corner(name)
    folder = PACKAGE / name
    path = folder / "__init__.py" if folder.is_dir() else PACKAGE / f"{name}.py"
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    title = f"{name}/" if folder.is_dir() else f"{name}.py"
    sentence = docstring.split("\n")[0].split(". ")[0].rstrip(".")
    text = textwrap.wrap(sentence, 36, max_lines=2, placeholder=" …")
    return [
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="6" fill="#f6f8fa" '
        'stroke="#57606a"/>',
        f'<text x="{x + 12}" y="{y + 22}" font-size="16" font-weight="bold" fill="#1f2328">'
        f"{title}</text>",
        *(
            f'<text x="{x + 12}" y="{y + 39 + 15 * number}" font-size="12" fill="#424a53">'
            f"{escape(line)}</text>"
            for number, line in enumerate(text)
        ),
    ]


def main() -> None:
    """Write the drawing, or with --check compare it."""
    drawing = draw()
    if "--check" not in sys.argv:
        DRAWING.write_text(drawing, encoding="utf-8")
    elif not DRAWING.exists() or DRAWING.read_text(encoding="utf-8") != drawing:
        sys.exit(f"{DRAWING} is out of date; run `make docs` or python scripts/import_graph.py")


if __name__ == "__main__":
    main()
