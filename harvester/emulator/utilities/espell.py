"""ESpell: corrections of a query."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from harvester.emulator.answers.answer import Answer
from harvester.emulator.answers.pages import diagnostic
from harvester.emulator.answers.prologs import prolog

if TYPE_CHECKING:
    from harvester.emulator.request import UtilityRequest
    from harvester.emulator.utilities.backend import Backend


def espell(request: UtilityRequest, backend: Backend) -> Answer:  # noqa: ARG001 - one signature
    """Return a correction: a letter is dropped after two equal ones.

    The service has no JSON: `retmode=json` is an error 500 at NCBI.
    """
    if request.json:
        return diagnostic()
    term = request.get("term")
    corrected = "".join(
        letter for place, letter in enumerate(term) if term[place - 2 : place] != letter * 2
    )
    better = escape(corrected) if corrected != term else ""
    body = (
        f"{prolog('espell')}<eSpellResult>\n\t<Database>{request.get('db', 'pubmed')}</Database>\n"
        f"\t<Query>{escape(term)}</Query>\n\t<CorrectedQuery>{better}</CorrectedQuery>\n"
        f"\t<SpelledQuery><Original></Original><Replaced>{better}</Replaced></SpelledQuery>\n"
        "\t<ERROR/>\n</eSpellResult>\n"
    )
    return Answer(body.encode())
