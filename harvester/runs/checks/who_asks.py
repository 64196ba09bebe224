"""Checks of the sender: environment variables, contact email and the form of the API key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.job import load
from harvester.job.environment import VARIABLES, api_key
from harvester.runs.checks.finding import Finding, fine, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.job.groups import Access, Contact, Server

_KEY_PAGE = "https://account.ncbi.nlm.nih.gov/settings/"


def read_access(
    settings: load.Settings, environ: Mapping[str, str]
) -> tuple[Access, Finding | None]:
    """Return how to connect to the server, and a finding if a variable has a wrong value.

    Raises:
        BadInput: an option is wrong.
    """
    try:
        return load.build_access(settings, environ), None
    except BadInput as error:
        without = {name: value for name, value in environ.items() if name not in VARIABLES}
        access = load.build_access(settings, without)
        names = " and ".join(name for name in VARIABLES if environ.get(name))
        return access, wrong("environment", str(error), f"Correct or unset {names}.")


def check_contact(contact: Contact, server: Server) -> Finding:
    """Check that there is a contact email, which NCBI requires (NBK25497)."""
    if contact.email is not None:
        return fine("contact", f"{contact.email}, tool {contact.tool}; sent with each request")
    if server.is_ncbi:
        return wrong(
            "contact",
            "no email; NCBI requires one and writes to it before it blocks an address",
            "Set NCBI_EMAIL, or give --email.",
        )
    return fine("contact", "no email; only NCBI requires one")


def check_key(environ: Mapping[str, str]) -> tuple[str | None, Finding]:
    """Return the API key, and a finding on its form. The request shows whether it is accepted."""
    try:
        key = api_key(environ)
    except BadInput as error:
        return None, wrong("api key", str(error), f"Copy the key again from {_KEY_PAGE}")
    if key is None:
        return None, fine(
            "api key",
            f"none in NCBI_API_KEY: 3 requests per second; 10 with a key from {_KEY_PAGE}",
        )
    return key, fine("api key", "set in NCBI_API_KEY")


def key_accepted() -> Finding:
    """Return the finding of a key that the server accepted."""
    return fine("api key", "NCBI_API_KEY is accepted: 10 requests per second")


def key_refused() -> Finding:
    """Return the finding of a key that the server refused."""
    return wrong(
        "api key",
        "the server says that the key in NCBI_API_KEY is invalid",
        f"Copy the key again from {_KEY_PAGE} (a new key replaces the old one), or unset "
        "NCBI_API_KEY.",
    )
