"""Named faults, one table per kind. A new fault is one entry in one of them."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from harvester.emulator.faults.bodies import BODIES
from harvester.emulator.faults.draws import Draw, FaultPlan, FaultSpec, affects
from harvester.emulator.faults.history import HISTORY
from harvester.emulator.faults.linksets import LINKSETS
from harvester.emulator.faults.pages import PAGES
from harvester.emulator.faults.wire import WIRE

if TYPE_CHECKING:
    from collections.abc import Iterable

PER_PART = ("poison", "lost-blocks")
"""Faults whose probability is that of each UID, or of each block of links, in every answer."""

NAMES = (*PAGES, *BODIES, *LINKSETS, *WIRE, *HISTORY)
"""All names. `http-500` is `500`; `all` draws any except PER_PART and EXCLUDED_FROM_ALL."""

EXCLUDED_FROM_ALL = ("bad-key", "lost-leading")
"""Not drawn by `all`: a client must stop at `bad-key`, and cannot notice `lost-leading`."""

NCBI_LIMITS = (3, 10)
"""Requests per second without an API key and with one (NBK25497)."""


def fault_plan(texts: Iterable[str], seed: int, limits: tuple[int, int] = NCBI_LIMITS) -> FaultPlan:
    """Return the faults that some spellings stand for (see `FaultSpec`).

    Args:
        texts: spellings as on the command line.
        seed: seed of the draws.
        limits: requests per second, without and with an API key, that a drawn 429 states.

    Raises:
        ValueError: a name, a probability or a number of times is wrong.
    """
    specs = []
    for text in texts:
        spec = FaultSpec.read(text)
        name = spec.name.removeprefix("http-")
        if name not in NAMES and name != "all":
            near = get_close_matches(name, NAMES, 1)
            hint = f"Did you mean {near[0]}?" if near else f"The names are {', '.join(NAMES)}."
            raise ValueError(f"Unknown fault {spec.name!r}. {hint}")
        specs.append(replace(spec, name=name))
    every = [name for name in NAMES if name not in PER_PART and name not in EXCLUDED_FROM_ALL]
    return FaultPlan(specs, every, PER_PART, seed, limits)


__all__ = [
    "BODIES",
    "EXCLUDED_FROM_ALL",
    "HISTORY",
    "LINKSETS",
    "NAMES",
    "NCBI_LIMITS",
    "PAGES",
    "PER_PART",
    "WIRE",
    "Draw",
    "FaultPlan",
    "FaultSpec",
    "affects",
    "fault_plan",
]
