"""Removal of the API key from everything that a server returns.

NCBI repeats the key in some errors (400 `API key invalid`, 429; recorded 2019 to 2026). `Client`
redacts each reply before it is parsed, and each error text after, so that nothing behind it can
show, log or store the key.
"""

from __future__ import annotations

import html
import json
from urllib.parse import quote, quote_plus

REDACTED = "***"

MIN_LENGTH = 16
"""Characters of the shortest key that is redacted in whole replies. NCBI's keys have 36. A shorter
string may occur in data, in a UID for example; it is redacted in error texts only."""


class Redactor:
    """Replaces the API key, in every spelling that servers use, by `***`.

    Args:
        api_key: the key; None leaves everything as it is.
    """

    def __init__(self, api_key: str | None) -> None:
        spellings = _spellings(api_key) if api_key else set()
        # The longest first: one spelling may be part of another.
        self._texts = sorted(spellings, key=len, reverse=True)
        whole = api_key is not None and len(api_key) >= MIN_LENGTH
        self._bytes = [text.encode() for text in self._texts] if whole else []

    def __repr__(self) -> str:
        """Return a short text for logs and tests, without the key."""
        return "Redactor()"

    def text(self, text: str) -> str:
        """Return a text without the key."""
        for spelling in self._texts:
            text = text.replace(spelling, REDACTED)
        return text

    def body(self, body: bytes) -> bytes:
        """Return a body without the key; the same object, if the key is not in it."""
        for spelling in self._bytes:
            if spelling in body:
                body = body.replace(spelling, REDACTED.encode())
        return body


def _spellings(key: str) -> set[str]:
    """Return the key plain, in URLs, in JSON and in XML or HTML; all equal for NCBI's keys."""
    quoted = json.dumps(key)[1:-1]
    return {
        key,
        quote(key),
        quote(key, ""),
        quote_plus(key),
        quoted,
        quoted.replace("/", "\\/"),
        html.escape(key),
        html.escape(key, quote=False),
    }
