"""Root elements and DOCTYPEs of the E-utilities' XML answers, as in recorded answers of 2025."""

from __future__ import annotations

_DTDS = "https://eutils.ncbi.nlm.nih.gov/eutils/dtd/"
_OLD_DTDS = "https://www.ncbi.nlm.nih.gov/entrez/query/DTD/"

ROOTS = {
    "elink": ("eLinkResult", "elink 20101123", f"{_DTDS}20101123/elink.dtd"),
    "einfo": ("eInfoResult", "einfo 20190110", f"{_DTDS}20190110/einfo.dtd"),
    "esearch": ("eSearchResult", "esearch 20060628", f"{_DTDS}20060628/esearch.dtd"),
    "epost": ("ePostResult", "epost 20090526", f"{_DTDS}20090526/epost.dtd"),
    "esummary": ("eSummaryResult", "esummary v1 20041029", f"{_DTDS}20041029/esummary-v1.dtd"),
    "efetch": ("eFetchResult", "efetch 20131226", f"{_DTDS}20131226/efetch.dtd"),
    "egquery": ("Result", "eSearchResult, January 2004", f"{_OLD_DTDS}egquery.dtd"),
    "espell": ("eSpellResult", "eSpellResult, 23 November 2004", f"{_OLD_DTDS}eSpell.dtd"),
}
"""Root element, name in the public identifier and URL of the DTD, by utility."""


def prolog(utility: str) -> str:
    """Return XML declaration and DOCTYPE of a utility's answers, each with a line break."""
    root, name, address = ROOTS[utility]
    return (
        '<?xml version="1.0" encoding="UTF-8" ?>\n'
        f'<!DOCTYPE {root} PUBLIC "-//NLM//DTD {name}//EN" "{address}">\n'
    )
