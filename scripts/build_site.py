"""Build the documentation site from docs/ into .site/html; fail on any warning.

A copy of the pages is built, in which links to the source code, which the site does not hold, are
plain text. Pictures beside the benchmarks and the two pages at the top of the project are copied.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SITE = ROOT / ".site"
SOURCE = SITE / "source"
TOP_PAGES = ("CHANGELOG.md", "CONTRIBUTING.md")

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")


def main() -> None:
    """Copy the pages, then build the site."""
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.copytree(ROOT / "docs", SOURCE)
    for name in TOP_PAGES:
        shutil.copy(ROOT / name, SOURCE)
    for page in SOURCE.glob("*.md"):
        origin = ROOT / page.name if page.name in TOP_PAGES else ROOT / "docs" / page.name
        page.write_text(for_site(page.read_text("utf-8"), origin), "utf-8")
    zensical = Path(sys.executable).with_name("zensical")
    command = [str(zensical), "build", "--strict", "--clean", "--config-file", "mkdocs.yml"]
    sys.exit(subprocess.run(command, cwd=ROOT, check=False).returncode)


def for_site(text: str, origin: Path) -> str:
    """Return a page with links that work on the site.

    Args:
        text: the page.
        origin: its path in the project.
    """

    def link(found: re.Match[str]) -> str:
        mark, label, target = found.groups()
        path, _, anchor = target.partition("#")
        if "://" in target or not path:
            return found[0]
        file = (origin.parent / path).resolve()
        anchor = anchor and f"#{anchor}"
        if file.parent == ROOT and file.name in TOP_PAGES:
            return f"{mark}[{label}]({file.name}{anchor})"
        if file.is_relative_to(ROOT / "docs"):
            return f"{mark}[{label}]({file.relative_to(ROOT / 'docs')}{anchor})"
        if mark:
            shutil.copy(file, SOURCE)
            return f"![{label}]({file.name})"
        return label if label.startswith("`") else f"`{label}`"

    return _LINK.sub(link, text)


if __name__ == "__main__":
    main()
