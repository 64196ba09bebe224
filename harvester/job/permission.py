"""NCBI's rules, for every way of sending requests to NCBI."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from harvester.errors import BadInput
from harvester.job import ncbi
from harvester.job.environment import api_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harvester.job.groups import Contact, Limits, Server


def check_permitted(
    contact: Contact, server: Server, limits: Limits, environ: Mapping[str, str] = os.environ
) -> None:
    """Check that NCBI permits the requests; other servers have no such rules.

    NCBI requires https, a contact email, and at most 3 requests per second, or 10 with an API key,
    unless it has agreed to more (NBK25497).

    Args:
        contact: tool and email.
        server: the server.
        limits: has the rate.
        environ: holds the API key, if there is one.

    Raises:
        BadInput: a rule is broken; names the remedy.
    """
    check_rate(server, limits, environ)
    if server.is_ncbi and contact.email is None:
        raise BadInput(
            "NCBI requires a contact email: give {field}, or set the environment variable "
            "NCBI_EMAIL.",
            field="contact.email",
        )


def check_rate(server: Server, limits: Limits, environ: Mapping[str, str] = os.environ) -> None:
    """Check NCBI's rules apart from the contact; see `check_permitted`.

    Raises:
        BadInput: a rule is broken; names the remedy.
    """
    key = api_key(environ)
    _check_extra(limits)
    if not server.is_ncbi:
        return
    if not server.base_url.startswith("https:"):
        raise BadInput(
            "server.base_url: NCBI is asked over https only, so that nobody on the way reads the "
            f"API key; give {ncbi.BASE_URL}, or leave it out.",
            field="server.base_url",
        )
    permitted = ncbi.permitted_rate(with_key=key is not None)
    if (limits.rate or 0) > permitted and not limits.rate_granted:
        without = "" if key else " without an API key (NCBI_API_KEY)"
        raise BadInput(
            f"NCBI permits {permitted:g} requests per second{without}, not {limits.rate:g}; "
            "if NCBI has granted you more, add {field}.",
            field="limits.rate_granted",
        )


def _check_extra(limits: Limits) -> None:
    """Check that the package for a shared rate limit is installed, without importing it.

    Raises:
        BadInput: it is not; names the extra.
    """
    if limits.limiter is not None and not all(map(find_spec, ("redis", "throttled"))):
        raise BadInput(
            "{field} needs a package that is not installed: pip install 'elink-harvester[redis]'",
            field="limits.limiter",
        )
