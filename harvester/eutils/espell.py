"""ESpell: spelling corrections for a query. XML only, in all recorded answers."""

from __future__ import annotations

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.parsing import texts, xml_root

PATH = "espell.fcgi"

_MAX_LENGTH = 4096
"""Maximum characters of a corrected query."""


def read(body: bytes) -> str | None:
    """Return the corrected query; None, if there is nothing to correct.

    Raises:
        RequestFailed: the body is not an answer of ESpell, or holds an ERROR.
    """
    root = xml_root(body, "eSpellResult", "ESpell")
    corrected = root.findtext("CorrectedQuery", "").strip()
    errors = texts(root, "ERROR")
    if errors and not corrected:
        raise RequestFailed(Fault.SERVER, printable(f"ESpell: {errors[0]}"))
    same = corrected.lower() == root.findtext("Query", "").strip().lower()
    return None if same else printable(corrected, _MAX_LENGTH) or None
