"""Each folder imports only the folders below it; no modules import each other in a circle.

Imports inside functions and imports for type checking count as well.
"""

from __future__ import annotations

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import harvester

ROOT = Path(harvester.__file__).parent

_SAID = {"errors", "events", "wording"}
_ASKING = {"model", "job", "eutils", "client", *_SAID}

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "events": set(),
    "wording": {"events"},
    "model": set(),
    "emulator": set(),
    "job": {"model", "errors"},
    "store": {"model", *_SAID},
    "eutils": {"model", "job", "errors"},
    "export": {"store", "model", "job", *_SAID},
    "report": {"store", "model", "job", *_SAID},
    "client": _ASKING - {"client"},
    "engine": _ASKING,
    "sources": {"store", *_ASKING},
    "runs": {"store", "engine", "sources", *_ASKING},
    "runners": {"runs", "store", "engine", "sources", *_ASKING},
    "api": {"runners", "export", "report", "store", "engine", "sources", "runs", *_ASKING},
    "cli": {"job", "api", "emulator", *_SAID},
    "__main__": {"cli"},
}
MAY_IMPORT["testing"] = MAY_IMPORT["__init__"] = MAY_IMPORT["api"] | {"api"}


@cache
def imports() -> dict[str, set[str]]:
    """Return every module of the package with the modules of the package that it imports."""
    paths = {_name(path): path for path in ROOT.rglob("*.py")}
    found: dict[str, set[str]] = {}
    for name, path in paths.items():
        found[name] = targets = set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                targets |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert node.module, f"{path} has a relative import"
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                targets |= (inner & paths.keys()) or {node.module}
        targets.intersection_update(paths)
    return found


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _folder(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def _short(module: str) -> str:
    return module.partition(".")[2] or "__init__"


def test_folders_import_only_what_the_table_allows() -> None:
    forbidden = {
        f"{_short(module)} -> {_short(target)}"
        for module, targets in imports().items()
        for target in targets
        if _folder(target) not in MAY_IMPORT[_folder(module)] | {_folder(module)}
    }
    assert forbidden == set()


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    TopologicalSorter(imports()).prepare()  # raises CycleError, which names the modules


def test_top_level_holds_only_the_listed_folders_and_modules() -> None:
    found = {path.name.removesuffix(".py") for path in ROOT.iterdir()} - {"__pycache__"}
    assert found - {"py.typed"} == MAY_IMPORT.keys()
