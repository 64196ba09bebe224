"""ESpell: how a query may have been meant. XML only, in all answers seen."""

from __future__ import annotations

from harvester.errors import Fault, RequestFailed, printable
from harvester.eutils.parsing import texts, xml_root

PATH = "espell.fcgi"


def read(body: bytes) -> str | None:
    """The corrected query; None where there is nothing to correct.

    Raises:
        RequestFailed: it is no answer of ESpell, or an ERROR.
    """
    root = xml_root(body, "eSpellResult", "ESpell")
    corrected = root.findtext("CorrectedQuery", "").strip()
    errors = texts(root, "ERROR")
    if errors and not corrected:
        raise RequestFailed(Fault.SERVER, printable(f"ESpell: {errors[0]}"))
    same = corrected.lower() == root.findtext("Query", "").strip().lower()
    return None if same else corrected or None
