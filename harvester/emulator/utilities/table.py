"""Table of utilities by the name of their program. A new utility is one entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.utilities.ecitmatch import ecitmatch
from harvester.emulator.utilities.efetch import efetch
from harvester.emulator.utilities.egquery import egquery
from harvester.emulator.utilities.einfo import einfo
from harvester.emulator.utilities.epost import epost
from harvester.emulator.utilities.esearch import esearch
from harvester.emulator.utilities.espell import espell
from harvester.emulator.utilities.esummary import esummary

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.emulator.answers.answer import Answer
    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend

UTILITIES: dict[str, Callable[[UtilityRequest, Backend], Answer]] = {
    "einfo": einfo,
    "esearch": esearch,
    "epost": epost,
    "esummary": esummary,
    "efetch": efetch,
    "egquery": egquery,
    "espell": espell,
    "ecitmatch": ecitmatch,
}
"""All but ELink: faults may change its LinkSets before they are written."""
