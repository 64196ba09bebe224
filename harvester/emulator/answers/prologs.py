"""Root elements and DOCTYPEs of the E-utilities' XML answers (observed in recorded answers)."""

from __future__ import annotations

ROOTS = {
    "elink": ("eLinkResult", "elink 20101123", "20101123/elink"),
    "einfo": ("eInfoResult", "einfo 20190110", "20190110/einfo"),
    "esearch": ("eSearchResult", "esearch 20060628", "20060628/esearch"),
    "epost": ("ePostResult", "epost 20090526", "20090526/epost"),
    "esummary": ("eSummaryResult", "esummary v1 20041029", "20041029/esummary-v1"),
    "efetch": ("eFetchResult", "efetch 20131226", "20131226/efetch"),
    "egquery": ("Result", "egquery 20040301", "20040301/egquery"),
    "espell": ("eSpellResult", "espell 20041123", "20041123/espell"),
}


def prolog(utility: str) -> str:
    """XML declaration and DOCTYPE of a utility's answers, with the line break after each."""
    root, name, file = ROOTS[utility]
    return (
        f'<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE {root} PUBLIC "-//NLM//DTD {name}//EN"'
        f' "https://eutils.ncbi.nlm.nih.gov/eutils/dtd/{file}.dtd">\n'
    )
