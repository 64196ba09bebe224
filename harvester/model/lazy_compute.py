"""`pyarrow.compute`, imported when one of its functions is first used: most harvests need none."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    """A function of `pyarrow.compute`."""
    return getattr(import_module("pyarrow.compute"), name)
