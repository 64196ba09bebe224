"""Table of ELink's cmds. A new cmd is one entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.utilities.checks import acheck, lcheck, ncheck
from harvester.emulator.utilities.linkout import llinks, llinkslib, prlinks
from harvester.emulator.utilities.neighbors import neighbor, neighbor_history, neighbor_score

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.emulator.answers.linksets import LinkSet
    from harvester.emulator.utilities.backend import Backend
    from harvester.emulator.utilities.elink import LinkQuery

CMDS: dict[str, Callable[[LinkQuery, Backend], list[LinkSet]]] = {
    "neighbor": neighbor,
    "neighbor_score": neighbor_score,
    "neighbor_history": neighbor_history,
    "acheck": acheck,
    "ncheck": ncheck,
    "lcheck": lcheck,
    "llinks": llinks,
    "llinkslib": llinkslib,
    "prlinks": prlinks,
}
