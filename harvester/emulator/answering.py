"""Compute the answer to a request, with the faults drawn for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.answers.answer import JSON_TYPE, Answer
from harvester.emulator.answers.elink_json import elink_json
from harvester.emulator.answers.elink_xml import elink_xml
from harvester.emulator.answers.errors import error_200
from harvester.emulator.answers.linksets import LinkSet
from harvester.emulator.faults import BODIES, HISTORY, LINKSETS, PAGES
from harvester.emulator.utilities.backend import UtilityError
from harvester.emulator.utilities.cmds import CMDS
from harvester.emulator.utilities.elink import parse
from harvester.emulator.utilities.linkout import redirect
from harvester.emulator.utilities.table import UTILITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harvester.emulator.faults import Draw
    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend


def answer(
    request: UtilityRequest, backend: Backend, draws: Sequence[Draw] = ()
) -> tuple[Answer, list[str]]:
    """Return the answer to a request, and the names of the faults that were applied.

    A fault that does not apply to the request, such as one of LinkSets to ESearch, is not applied.
    """
    shown = []
    for draw in draws:
        if draw.spec.name in HISTORY and request.get("WebEnv"):
            HISTORY[draw.spec.name](backend.history, draw)
            shown.append(draw.spec.name)
        page = PAGES[draw.spec.name](draw) if draw.spec.name in PAGES else None
        if page is not None:
            return page, [*shown, draw.spec.name]
    if request.utility == "elink":
        response = _elink(request, backend, draws, shown)
    else:
        response = UTILITIES[request.utility](request, backend)
    for draw in draws:
        if draw.spec.name in BODIES:
            response = BODIES[draw.spec.name](response, draw)
            shown.append(draw.spec.name)
    return response, shown


def _elink(
    request: UtilityRequest, backend: Backend, draws: Sequence[Draw], shown: list[str]
) -> Answer:
    try:
        query = parse(request, backend, CMDS)
    except UtilityError as error:
        if not error.in_linkset:
            return error_200("elink", str(error), json=request.json)
        return _written([LinkSet(None, errors=[str(error)])], request)
    cmd = request.get("cmd") or "neighbor"
    if cmd == "prlinks" and request.get("retmode").lower() == "ref":
        return redirect(query)
    linksets = CMDS[cmd](query, backend)
    for draw in draws:
        if draw.spec.name in LINKSETS:
            linksets = LINKSETS[draw.spec.name](linksets, draw)
            shown.append(draw.spec.name)
    return _written(linksets, request)


def _written(linksets: list[LinkSet], request: UtilityRequest) -> Answer:
    if request.json:
        return Answer(elink_json(linksets), JSON_TYPE)
    return Answer(elink_xml(linksets))
