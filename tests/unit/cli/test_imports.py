"""Heavy packages are imported only by commands that need them, so that help is fast."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"aiohttp", "asyncio", "numpy", "pyarrow", "uvloop", "scipy", "orjson"}
SCRIPT = """
import sys
from harvester.cli import main
sys.argv[1:] = {words!r}
try:
    main()
except SystemExit as leave:
    code = leave.code
print(code, *sorted({heavy!r} & sys.modules.keys()), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("words", "also"),
    [(["--help"], set()), (["--version"], set()), (["run", "--help"], {"pydantic"})],
    ids=" ".join,
)
def test_help_imports_nothing_heavy(words: list[str], also: set[str]) -> None:
    heavy = HEAVY | ({"pydantic"} - also)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(words=words, heavy=heavy)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout
    assert done.stderr.splitlines()[-1].split() == ["0"], done.stderr
