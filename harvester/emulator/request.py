"""One request as it came in: its utility, its parameters, who asks."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from urllib.parse import unquote_plus


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to one utility; GET and POST are the same to it.

    Attributes:
        utility: `elink`, `esearch`, ...
        parameters: names and values, decoded, in the order sent.
        who: the API key, or without one the client's address: what the rate is counted by.
        has_key: whether `who` is an API key.
        digest: a checksum of the parameters, equal for equal requests.
    """

    utility: str
    parameters: tuple[tuple[str, str], ...]
    who: str
    has_key: bool
    digest: int

    @classmethod
    def read(cls, utility: str, query: str, body: bytes, address: str) -> Asked:
        """The request made up of a query string and a form body."""
        form = body.decode("utf-8", "replace")
        parameters = (*_fields(query), *_fields(form))
        key = next((value for name, value in parameters if name == "api_key" and value), "")
        digest = zlib.crc32(form.encode(), zlib.crc32(f"{utility}?{query}&".encode()))
        return cls(utility, parameters, key or address, bool(key), digest)

    def get(self, name: str, default: str = "") -> str:
        """The first value of a parameter. Names are case-sensitive, as NCBI's are."""
        return next((value for key, value in self.parameters if key == name), default)

    def every(self, name: str) -> list[str]:
        """All values of a parameter that is given again and again."""
        return [value for key, value in self.parameters if key == name]

    def listed(self, name: str) -> list[str]:
        """The parts of a comma list, over all mentions of the parameter."""
        return [part for value in self.every(name) for part in value.split(",") if part.strip()]

    def integer(self, name: str, default: int) -> int:
        """A whole number, or `default` where there is none."""
        text = self.get(name)
        return int(text) if text.isascii() and text.isdigit() else default

    @property
    def json(self) -> bool:
        """Whether JSON is wanted; XML is the default."""
        return self.get("retmode").lower() == "json"

    def uids(self) -> set[str]:
        """All ids of the request as written, for faults that befall certain UIDs."""
        return set(self.listed("id"))


def _fields(text: str) -> list[tuple[str, str]]:
    """Fields of a form; few values are encoded, so most cost two slices and no more."""
    fields = []
    for field in text.split("&"):
        name, equals, value = field.partition("=")
        if equals:
            encoded = "%" in value or "+" in value
            fields.append((name, unquote_plus(value) if encoded else value))
    return fields
