"""NCBI's address, and the request rates it permits."""

from __future__ import annotations

from urllib.parse import urlsplit

BASE_URL = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"
"""Common prefix of all E-utility URLs (NBK25497)."""

RATE_WITHOUT_KEY, RATE_WITH_KEY = 3.0, 10.0
"""Requests per second that NCBI permits, summed over all E-utilities (NBK25497)."""


def permitted_rate(*, with_key: bool) -> float:
    """Return the requests per second that NCBI permits without special agreement."""
    return RATE_WITH_KEY if with_key else RATE_WITHOUT_KEY


def is_ncbi(url: str) -> bool:
    """Return whether NCBI's own rules (hours, rate, email) apply to a server."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    return host == "ncbi.nlm.nih.gov" or host.endswith(".ncbi.nlm.nih.gov")
