"""Named faults, one table a kind; a new fault is one entry in one of them."""

from __future__ import annotations

from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from harvester.emulator.faults.bodies import BODIES
from harvester.emulator.faults.draws import Draw, FaultPlan, FaultSpec, befalls
from harvester.emulator.faults.history import HISTORY
from harvester.emulator.faults.linksets import LINKSETS
from harvester.emulator.faults.pages import PAGES
from harvester.emulator.faults.wire import WIRE

if TYPE_CHECKING:
    from collections.abc import Iterable

CONSTANT = ("poison", "lost-blocks")
"""Faults whose probability is that of each UID, or each block of links, in every answer."""

NAMES = (*PAGES, *BODIES, *LINKSETS, *WIRE, *HISTORY)
"""All names; `http-500` may be said for `500`, and `all` for any but CONSTANT and SPARED."""

SPARED = ("bad-key", "lost-leading")
"""What `all` leaves out: a client must stop at the one, and cannot tell the other in one answer."""

NCBI_LIMITS = (3, 10)
"""Requests a second without an API key and with one (NBK25497)."""


def fault_plan(texts: Iterable[str], seed: int, limits: tuple[int, int] = NCBI_LIMITS) -> FaultPlan:
    """The faults that some texts ask for (see `FaultSpec`).

    Args:
        texts: as on the command line.
        seed: another seed draws others.
        limits: requests a second, without an API key and with one, that a drawn 429 states.

    Raises:
        ValueError: a name is unknown, or a probability or a number of times is none.
    """
    specs = []
    for text in texts:
        spec = FaultSpec.read(text)
        name = spec.name.removeprefix("http-")
        if name not in NAMES and name != "all":
            near = get_close_matches(name, NAMES, 1)
            hint = f"did you mean {near[0]}?" if near else f"the names are {', '.join(NAMES)}."
            raise ValueError(f"there is no fault {spec.name!r}: {hint}")
        specs.append(replace(spec, name=name))
    every = [name for name in NAMES if name not in CONSTANT and name not in SPARED]
    return FaultPlan(specs, every, CONSTANT, seed, limits)


__all__ = [
    "BODIES",
    "CONSTANT",
    "HISTORY",
    "LINKSETS",
    "NAMES",
    "NCBI_LIMITS",
    "PAGES",
    "SPARED",
    "WIRE",
    "Draw",
    "FaultPlan",
    "FaultSpec",
    "befalls",
    "fault_plan",
]
