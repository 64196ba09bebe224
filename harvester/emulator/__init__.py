"""A local NCBI E-utilities server, for rehearsals and tests.

It imports nothing of the harvester, so that client and server do not share an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harvester.emulator.config import EmulatorConfig
    from harvester.emulator.graph import Graph, SeededGraph, TableGraph, truth
    from harvester.emulator.server import Emulator, serve
    from harvester.emulator.thread import background

__all__ = [
    "Emulator",
    "EmulatorConfig",
    "Graph",
    "SeededGraph",
    "TableGraph",
    "background",
    "serve",
    "truth",
]

_HOMES = {
    "Emulator": "server",
    "EmulatorConfig": "config",
    "Graph": "graph",
    "SeededGraph": "graph",
    "TableGraph": "graph",
    "background": "thread",
    "serve": "server",
    "truth": "graph",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, because aiohttp and pyarrow are slow to import."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
