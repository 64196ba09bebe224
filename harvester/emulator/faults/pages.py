"""Faults that replace the answer, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.emulator.answers import errors, pages
from harvester.emulator.answers.answer import JSON_TYPE, Answer
from harvester.emulator.answers.errors import error_200
from harvester.emulator.answers.prologs import prolog
from harvester.emulator.faults.draws import affects

if TYPE_CHECKING:
    from collections.abc import Callable

    from harvester.emulator.faults.draws import Draw


def _bad_request(draw: Draw) -> Answer:
    answer = error_200(draw.request.utility, errors.EMPTY_ID_LIST, json=False)
    return Answer(answer.body, answer.content_type, 400)


def _rate_limit(status: int) -> Callable[[Draw], Answer]:
    def page(draw: Draw) -> Answer:
        count = draw.limit + draw.random.randint(1, 20)
        return pages.rate_limit(draw.request.who, count, draw.limit, status)

    return page


def _error(text: str) -> Callable[[Draw], Answer]:
    return lambda draw: error_200(draw.request.utility, text, json=draw.request.json)


def _invalid_db(draw: Draw) -> Answer:
    db = draw.request.get("dbfrom") or draw.request.get("db") or "pubmed"
    return error_200(draw.request.utility, errors.BAD_DB.format(db), json=draw.request.json)


def _prolog_only(draw: Draw) -> Answer:
    """Return the XML prolog without a root element; for JSON an empty body."""
    if draw.request.json:
        return Answer(b"", JSON_TYPE)
    return Answer(prolog(draw.request.utility).encode())


def _poison(draw: Draw) -> Answer | None:
    """Fail every request with certain UIDs: those named, or a share of all UIDs."""
    spec = draw.spec
    named = spec.uids & draw.request.uids()
    drawn = not spec.uids and any(
        affects(draw.seed, "poison", uid, spec.probability) for uid in draw.request.uids()
    )
    return pages.diagnostic() if named or drawn else None


PAGES: dict[str, Callable[[Draw], Answer | None]] = {
    "400": _bad_request,
    "414": lambda draw: pages.uri_too_large(),  # noqa: ARG005
    "429": _rate_limit(429),
    "500": lambda draw: pages.diagnostic(),  # noqa: ARG005
    "502": lambda draw: pages.gateway(502),  # noqa: ARG005
    "503": lambda draw: pages.gateway(503),  # noqa: ARG005
    "504": lambda draw: pages.gateway(504),  # noqa: ARG005
    "bad-key": lambda draw: pages.bad_key(draw.request.who),
    "forwarding": lambda draw: pages.forwarding(draw.request.who),
    "unroutable": lambda draw: pages.unroutable(),  # noqa: ARG005
    "rate-limit-200": _rate_limit(200),
    "error-address": _error(errors.ADDRESS_TABLE),
    "error-readall": _error(errors.READ_ALL),
    "error-backend": _error(errors.BACKEND),
    "error-db": _invalid_db,
    "html-200": lambda draw: pages.maintenance(),  # noqa: ARG005
    "empty": lambda draw: Answer(
        b"", JSON_TYPE if draw.request.json else "text/xml; charset=UTF-8"
    ),
    "prolog-only": _prolog_only,
    "poison": _poison,
}
"""Function by name; it returns the answer, or None if the fault does not apply."""
