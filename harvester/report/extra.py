"""The packages of the extra `report`, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from harvester.errors import BadInput

_PACKAGES = ("jinja2", "markupsafe", "vl_convert")


def extra(name: str) -> Any:
    """Return a package of the extra.

    Raises:
        BadInput: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise BadInput(
            f"A report needs the package {name.replace('_', '-')}: "
            "pip install 'elink-harvester[report]'."
        ) from None


def check_extra() -> None:
    """Check that all packages of the extra are installed.

    Raises:
        BadInput: one is not.
    """
    for name in _PACKAGES:
        extra(name)
