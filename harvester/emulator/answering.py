"""From a request to its answer: the utility, and the faults that befall it on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.answers.answer import JSON_TYPE, Answer
from harvester.emulator.answers.elink_json import elink_json
from harvester.emulator.answers.elink_xml import elink_xml
from harvester.emulator.answers.errors import error_200
from harvester.emulator.faults import BODIES, HISTORY, LINKSETS, PAGES
from harvester.emulator.utilities.cmds import CMDS
from harvester.emulator.utilities.elink import question
from harvester.emulator.utilities.table import UTILITIES
from harvester.emulator.utilities.world import Refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.faults import Draw
    from harvester.emulator.request import Asked
    from harvester.emulator.utilities.world import World


def answer(asked: Asked, world: World, draws: Sequence[Draw] = ()) -> tuple[Answer, list[str]]:
    """The answer to a request, and the names of the faults that it shows.

    A fault that has no place in this request (LinkSets in an ESearch) does not show.
    """
    shown = []
    for draw in draws:
        if draw.spec.name in HISTORY and asked.get("WebEnv"):
            HISTORY[draw.spec.name](world.history, draw)
            shown.append(draw.spec.name)
        page = PAGES[draw.spec.name](draw) if draw.spec.name in PAGES else None
        if page is not None:
            return page, [*shown, draw.spec.name]
    if asked.utility == "elink":
        said = _elink(asked, world, draws, shown)
    else:
        said = UTILITIES[asked.utility](asked, world)
    for draw in draws:
        if draw.spec.name in BODIES:
            said = BODIES[draw.spec.name](said, draw)
            shown.append(draw.spec.name)
    return said, shown


def _elink(asked: Asked, world: World, draws: Sequence[Draw], shown: list[str]) -> Answer:
    try:
        understood = question(asked, world)
    except Refusal as refusal:
        return error_200("elink", str(refusal), json=asked.json)
    # An unknown cmd is ignored like any other unknown word: neighbor is the default.
    linksets = CMDS.get(asked.get("cmd"), CMDS["neighbor"])(understood, world)
    for draw in draws:
        if draw.spec.name in LINKSETS:
            linksets = LINKSETS[draw.spec.name](linksets, draw)
            shown.append(draw.spec.name)
    if asked.json:
        return Answer(elink_json(linksets), JSON_TYPE)
    return Answer(elink_xml(linksets))
