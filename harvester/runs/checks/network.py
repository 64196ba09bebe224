"""Checks of the network that need no request: proxies, name resolution, trusted certificates."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from harvester.client.network import BUNDLES, Route, route_to, tls_context
from harvester.errors import BadInput, printable
from harvester.runs.checks.finding import Finding, fine, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROXIES = ("https_proxy", "http_proxy", "all_proxy")
_RESOLVE_SECONDS = 15.0
"""Seconds for the resolution of a name."""


def check_proxy(url: str, environ: Mapping[str, str]) -> tuple[Route | None, Finding]:
    """Return how the server is reached (None if that is wrong), and the finding."""
    try:
        route = route_to(url, environ)
    except BadInput as error:
        return None, wrong("proxy", str(error), "Set it to the URL of an HTTP proxy, or unset it.")
    named = [name for name in environ if name.lower() in _PROXIES and environ[name]]
    if route.proxy is not None:
        login = " with a login" if route.proxy_login else ""
        return route, fine("proxy", f"requests go through {route.proxy}{login}")
    host = urlsplit(url).hostname
    if named:
        names = ", ".join(sorted(named))
        return route, fine("proxy", f"none for {host}; {names} is set, but not for this address")
    return route, fine("proxy", "none is set")


async def check_name(url: str, route: Route) -> Finding:
    """Check that the name of the server, or of the proxy before it, has an address."""
    host = urlsplit(route.proxy or url).hostname or ""
    whose = "the proxy" if route.proxy else "the server"
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVE_SECONDS):
            found = await loop.getaddrinfo(host, None)
    except TimeoutError:
        why = f"no answer in {_RESOLVE_SECONDS:.0f} s"
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
    else:
        addresses = sorted({str(address[4][0]) for address in found})
        more = f" and {len(addresses) - 2} more" if len(addresses) > 2 else ""
        return fine("name resolution", f"{host} is {', '.join(addresses[:2])}{more}")
    return wrong(
        "name resolution",
        f"the name of {whose}, {host}, has no address: {printable(why)}",
        "Check the network and its name servers (/etc/resolv.conf)."
        + ("" if route.proxy else " Behind a proxy, set HTTPS_PROXY."),
    )


def check_trust(url: str, environ: Mapping[str, str]) -> Finding:
    """Check that trusted certificates exist; the request shows whether they fit."""
    if not url.startswith("https:"):
        return fine("tls", "not used: the address begins with http:")
    if (named := environ.get("SSL_CERT_FILE")) and not Path(named).is_file():
        return wrong(
            "tls",
            f"SSL_CERT_FILE names {printable(named)}, which is not a file: nothing is trusted",
            "Correct or unset SSL_CERT_FILE.",
        )
    try:
        context = tls_context(environ)
    except BadInput as error:
        return wrong("tls", str(error), "Correct or unset that variable.")
    if not context.cert_store_stats()["x509_ca"] and not _has_folder(environ):
        return wrong(
            "tls",
            "no trusted certificates are found on this system",
            "Install them (Debian: apt-get install ca-certificates), or name a file of them in "
            "SSL_CERT_FILE.",
        )
    return fine("tls", f"trusted certificates: {trusted(environ)}")


def trusted(environ: Mapping[str, str]) -> str:
    """Return where the trusted certificates come from."""
    named = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", *BUNDLES) if environ.get(name)]
    return f"those of {', '.join(named)}" if named else "the system's"


def _has_folder(environ: Mapping[str, str]) -> bool:
    """Return whether OpenSSL has a folder with certificates, which it reads when it needs them."""
    folder = environ.get("SSL_CERT_DIR") or ssl.get_default_verify_paths().capath
    return bool(folder and Path(folder).is_dir() and any(Path(folder).iterdir()))
