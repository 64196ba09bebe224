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
        parameters: names and values, decoded, in the order sent, names in lower case: NCBI answers
            `ID=4751` like `id=4751` (recorded in 2024).
        who: the API key, or without one the client's address; the rate is counted per `who`.
        has_key: whether `who` is an API key.
        names: names as written, each once, in the order sent.
        digest: a checksum of the parameters, equal for equal requests.
    """

    utility: str
    parameters: tuple[tuple[str, str], ...]
    who: str
    has_key: bool
    names: tuple[str, ...]
    digest: int

    @classmethod
    def read(cls, utility: str, query: str, body: bytes, address: str) -> UtilityRequest:
        """Parse a query string and a form body."""
        form = body.decode("utf-8", "replace")
        fields = (*_fields(query), *_fields(form))
        names = tuple(dict.fromkeys(name for name, _ in fields))
        lower = {name: name.lower() for name in names}
        parameters = tuple((lower[name], value) for name, value in fields)
        key = next((value for name, value in parameters if name == "api_key" and value), "")
        digest = zlib.crc32(form.encode(), zlib.crc32(f"{utility}?{query}&".encode()))
        return cls(utility, parameters, key or address, bool(key), names, digest)

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of a parameter; its name may be written in any case."""
        wanted = name.lower()
        return next((value for key, value in self.parameters if key == wanted), default)

    def every(self, name: str) -> list[str]:
        """Return all values of a repeated parameter."""
        wanted = name.lower()
        return [value for key, value in self.parameters if key == wanted]

    def has(self, name: str) -> bool:
        """Return whether a parameter is sent, be it empty."""
        wanted = name.lower()
        return any(key == wanted for key, _ in self.parameters)

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
