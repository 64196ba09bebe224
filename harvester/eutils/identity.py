"""The fields that name the sender of a request, and form bodies in general."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.job.groups import Contact

Fields: TypeAlias = "Mapping[str, str | int | None]"
"""Parameters of a request by name; None leaves one out."""


def form_of(fields: Fields) -> bytes:
    """Return fields as a form body, without those that have no value."""
    return urlencode({key: value for key, value in fields.items() if value}).encode()


class Identity:
    """`tool` and `email`, which NCBI requires with every request (NBK25497), and the API key.

    Args:
        contact: tool and email.
        api_key: sent in form bodies only, never in a URL that an error could print.

    Attributes:
        form: the fields as a form body.
        api_key: as given.
    """

    def __init__(self, contact: Contact, api_key: str | None = None) -> None:
        self.form = form_of({"tool": contact.tool, "email": contact.email, "api_key": api_key})
        self.api_key = api_key

    def __repr__(self) -> str:
        """Return a short text for logs and tests, without the key."""
        return "Identity()"
