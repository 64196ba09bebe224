"""EPost: store a list of UIDs on the History server."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from harvester.emulator.answers.answer import Answer
from harvester.emulator.answers.errors import BAD_DB, error_200
from harvester.emulator.answers.pages import diagnostic
from harvester.emulator.answers.prologs import prolog
from harvester.emulator.databases import SEQUENCES, canonical
from harvester.emulator.utilities.ids import MAX_UID, group

if TYPE_CHECKING:
    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend

TOO_LARGE = (
    f"Some IDs have invalid value and were omitted. Maximum ID value {MAX_UID}"  # recorded, 2025
)
DELIMITERS = "IDs contain invalid characters which was treated as delimiters."
NOTHING = "Empty ID list; Nothing to store"


def epost(request: UtilityRequest, backend: Backend) -> Answer:
    """Return WebEnv and query_key, ERROR elements, or both: EPost can succeed partially.

    The service has no JSON: `retmode=json` is an error 500 at NCBI.
    """
    if request.json:
        return diagnostic()
    named = request.get("db") or "pubmed"
    db = canonical(named)
    if not backend.knows(db):
        return error_200("epost", BAD_DB.format(named), json=False)
    errors = []
    if db in SEQUENCES:
        found = group(db, request.listed("id"))
        backend.remember(db, found)
        uids = found.uids
    else:
        text = ",".join(request.every("id"))
        if re.search(r"[^\d,\s]", text):
            # An accession falls apart into the numbers between its letters (biopython#926).
            errors.append(DELIMITERS)
        numbers = [int(digits) for digits in re.findall(r"\d+", text)]
        uids = tuple(dict.fromkeys(number for number in numbers if number <= MAX_UID))
        if any(number > MAX_UID for number in numbers):
            errors.append(TOO_LARGE)
    if not uids:
        return _answer({}, [NOTHING, *errors])
    webenv, query_key = backend.history.post(db, uids, request.get("WebEnv"))
    return _answer({"QueryKey": query_key, "WebEnv": webenv}, errors)


def _answer(kept: dict[str, str], errors: list[str]) -> Answer:
    lines = [f"\t<{name}>{value}</{name}>\n" for name, value in kept.items()]
    lines += [f"\t<ERROR>{escape(text)}</ERROR>\n" for text in errors]
    body = f"{prolog('epost').rstrip()}<ePostResult>\n{''.join(lines)}</ePostResult>\n"
    return Answer(body.encode())
