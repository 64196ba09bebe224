"""Who asks: the fields that go with every request, and the key that must not come back in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import quote, quote_plus, urlencode

from harvester.errors import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.job.groups import Contact

Fields: TypeAlias = "Mapping[str, str | int | None]"


def form_of(fields: Fields) -> bytes:
    """Fields as a form body; those without a value are left out."""
    return urlencode({key: value for key, value in fields.items() if value}).encode()


class Identity:
    """`tool` and `email`, which NCBI wants with every request (NBK25497), and the API key.

    Args:
        contact: tool and email.
        api_key: goes into form bodies only, never into a URL that an error could print.

    Attributes:
        form: the fields as a form body.
    """

    def __init__(self, contact: Contact, api_key: str | None = None) -> None:
        self.form = form_of({"tool": contact.tool, "email": contact.email, "api_key": api_key})
        # Servers have been seen to repeat the key in their errors.
        self._secrets = {api_key, quote(api_key, ""), quote_plus(api_key)} if api_key else ()

    def __repr__(self) -> str:
        """Without the form, which holds the key."""
        return "Identity()"

    def told(self, text: str) -> str:
        """A server's text fit to be kept and shown: on one line, and without the key."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return printable(text)
