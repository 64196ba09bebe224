"""Check what could prevent a harvest on this machine, by one request."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harvester.client.connect import connected
from harvester.engine.off_peak import utc_now
from harvester.errors import BadInput
from harvester.job.groups import Limits
from harvester.model.place import local
from harvester.runs.checks import machine, network, server, who_asks
from harvester.runs.checks.finding import Finding, unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from harvester.job.groups import Access
    from harvester.job.load import Settings

TIMEOUT_SECONDS = 30.0
"""Seconds for the request."""

_ORDER = (
    "environment", "contact", "api key", "proxy", "name resolution", "connection", "tls", "answer",
    "clock", "rate limit", "locks", "disk", "open files",
)  # fmt: skip
"""Order of the findings: from the sender of requests to the output."""


async def examine(
    settings: Settings,
    place: str,
    environ: Mapping[str, str] = os.environ,
    clock: Callable[[], datetime] = utc_now,
) -> list[Finding]:
    """Return the findings of all checks, one per check.

    Args:
        settings: of the groups contact, server and limits.
        place: folder of a harvest, or its URL in an object store; it need not exist.
        environ: environment variables.
        clock: returns the time of this machine.

    Raises:
        BadInput: an option is wrong.
    """
    try:
        folder = local(place).expanduser().absolute()
    except (ValueError, RuntimeError) as error:
        raise BadInput(f"{{field}}: {error}.", field="output.path") from error
    access, bad_variable = who_asks.read_access(settings, environ)
    url, host = access.server.base_url, urlsplit(access.server.base_url).netloc
    key, of_key = who_asks.check_key(environ)
    if not of_key.ok:
        environ = {name: value for name, value in environ.items() if name != "NCBI_API_KEY"}
    contact = who_asks.check_contact(access.contact, access.server)
    route, of_proxy = network.check_proxy(url, environ)
    trust = network.check_trust(url, environ)
    before = [contact, of_proxy, trust, *([bad_variable] if bad_variable else [])]
    if route is not None:
        before.append(await network.check_name(url, route))
    found = [of_key, *before]
    if needs := next((one.check for one in before if not one.ok), None):
        names = ["connection", "answer", "clock", *(["api key"] if key else [])]
        found += [unknown(name, needs) for name in names]
    else:
        found += await _ask(access, host, key, environ, clock)
    kept = machine.nearest_folder(folder)
    rate = access.limits.permitted(with_key=key is not None)
    found += [
        machine.check_shared_limit(host, key, rate),
        machine.check_disk(kept),
        machine.check_locks(kept),
        machine.check_open_files(rate),
    ]
    # A later finding replaces an earlier one of the same check.
    last = {one.check: one for one in found}
    return sorted(last.values(), key=lambda one: _ORDER.index(one.check))


async def _ask(
    access: Access,
    host: str,
    key: str | None,
    environ: Mapping[str, str],
    clock: Callable[[], datetime],
) -> list[Finding]:
    """Send the request, and return its findings."""
    limits = Limits(rate=access.limits.rate, timeout=min(access.limits.timeout, TIMEOUT_SECONDS))
    async with connected(access.server, access.contact, limits, environ) as client:
        asked = await server.ask(client, clock)
    found = server.findings(asked, host, key, environ)
    is_https = access.server.base_url.startswith("https:")
    return [one for one in found if is_https or one.check != "tls"]
