"""One request: its utility, its parameters, its caller."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from urllib.parse import unquote_plus


@dataclass(frozen=True, slots=True)
class UtilityRequest:
    """Request to one utility, by GET or POST.

    Attributes:
        utility: `elink`, `esearch`, ...
        parameters: names and values, decoded, in the order sent.
        who: the API key, or without one the client's address; the rate is counted per `who`.
        has_key: whether `who` is an API key.
        digest: a checksum of the parameters, equal for equal requests.
    """

    utility: str
    parameters: tuple[tuple[str, str], ...]
    who: str
    has_key: bool
    digest: int

    @classmethod
    def read(cls, utility: str, query: str, body: bytes, address: str) -> UtilityRequest:
        """Parse a query string and a form body."""
        form = body.decode("utf-8", "replace")
        parameters = (*_fields(query), *_fields(form))
        key = next((value for name, value in parameters if name == "api_key" and value), "")
        digest = zlib.crc32(form.encode(), zlib.crc32(f"{utility}?{query}&".encode()))
        return cls(utility, parameters, key or address, bool(key), digest)

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a parameter. Names are case-sensitive."""
        return next((value for key, value in self.parameters if key == name), default)

    def every(self, name: str) -> list[str]:
        """Return all values of a repeated parameter."""
        return [value for key, value in self.parameters if key == name]

    def listed(self, name: str) -> list[str]:
        """Return the parts of all comma lists of a parameter."""
        return [part for value in self.every(name) for part in value.split(",") if part.strip()]

    def integer(self, name: str, default: int) -> int:
        """Return a whole number, or `default` if the parameter is none."""
        text = self.get(name)
        return int(text) if text.isascii() and text.isdigit() else default

    @property
    def json(self) -> bool:
        """True if JSON is requested; the default is XML."""
        return self.get("retmode").lower() == "json"

    def uids(self) -> set[str]:
        """Return all ids of the request as written, for faults of certain UIDs."""
        return set(self.listed("id"))


def _fields(text: str) -> list[tuple[str, str]]:
    """Return the fields of a form. Few values are encoded, so most are only sliced (faster)."""
    fields = []
    for field in text.split("&"):
        name, equals, value = field.partition("=")
        if equals:
            encoded = "%" in value or "+" in value
            fields.append((name, unquote_plus(value) if encoded else value))
    return fields
