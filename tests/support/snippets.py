"""Python blocks of a document, run one after another as in a notebook."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXAMPLE = re.compile(r"^ *```\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks_of(document: Path) -> list[str]:
    """Return the Python blocks of a Markdown file."""
    return _FENCED.findall(document.read_text(encoding="utf-8"))


def examples_of(thing: object) -> list[str]:
    """Return the examples in a docstring."""
    return [textwrap.dedent(text) for text in _EXAMPLE.findall(inspect.getdoc(thing) or "")]


async def run(code: str, names: dict[str, Any]) -> None:
    """Run a block with top-level `await`, reading and changing a namespace."""
    compiled = compile(code, "<block>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    result = eval(compiled, names)
    if inspect.isawaitable(result):
        await result
