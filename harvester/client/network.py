"""Network settings from the environment: proxies, logins and trusted certificates.

The variables are those of curl and requests: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, a netrc
file, `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE` and `CURL_CA_BUNDLE`.
"""

from __future__ import annotations

import netrc
import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from harvester.errors import BadInput, printable

if TYPE_CHECKING:
    from collections.abc import Mapping

BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""Files or folders of certificates; OpenSSL itself reads SSL_CERT_FILE and SSL_CERT_DIR."""


@dataclass(frozen=True, slots=True)
class Login:
    """A user name and a password."""

    user: str
    password: str

    def __repr__(self) -> str:
        """Return a text without the password."""
        return f"Login({self.user!r})"


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a server.

    Attributes:
        proxy: URL of the proxy, without a login; None for no proxy.
        proxy_login: login at the proxy, if there is one.
        login: login at the server, from a netrc file.
    """

    proxy: str | None = None
    proxy_login: Login | None = None
    login: Login | None = None


def route_to(url: str, environ: Mapping[str, str] = os.environ) -> Route:
    """Return how a server is reached.

    Args:
        url: of the server.
        environ: names a netrc file with `NETRC`; proxies are read from the process itself.

    Raises:
        BadInput: the proxy's URL is not one of an HTTP proxy.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    login = _netrc_login(host, environ)
    address = getproxies().get(parts.scheme) or getproxies().get("all")
    if not address or proxy_bypass(parts.netloc.rpartition("@")[2]) or proxy_bypass(host):
        return Route(login=login)
    name = f"{parts.scheme.upper()}_PROXY"
    try:
        proxy = urlsplit(address if "://" in address else f"http://{address}")
        port = "" if proxy.port is None else f":{proxy.port}"
    except ValueError:
        raise BadInput(f"{name} is not the URL of a proxy, like http://proxy:3128.") from None
    if proxy.scheme not in ("http", "https") or not proxy.hostname:
        raise BadInput(
            f"{name} names a proxy of the kind {printable(proxy.scheme)}; only HTTP proxies can "
            "be used, like http://proxy:3128."
        )
    proxy_host = f"[{proxy.hostname}]" if ":" in proxy.hostname else proxy.hostname
    proxy_login = _netrc_login(proxy.hostname, environ)
    if proxy.username is not None:
        proxy_login = Login(unquote(proxy.username), unquote(proxy.password or ""))
    return Route(f"{proxy.scheme}://{proxy_host}{port}", proxy_login, login)


def tls_context(environ: Mapping[str, str] = os.environ) -> ssl.SSLContext:
    """Return a context that trusts the system's certificates and those the environment names.

    Raises:
        BadInput: a named file or folder cannot be read.
    """
    context = ssl.create_default_context()
    for name in BUNDLES:
        path = environ.get(name)
        if not path:
            continue
        try:
            folder = Path(path).is_dir()
            context.load_verify_locations(**{"capath" if folder else "cafile": path})
        except (OSError, ssl.SSLError) as error:
            why = error.strerror or "it holds no certificates"
            raise BadInput(
                f"{name} names {printable(path)}, which cannot be read: {why}."
            ) from None
    return context


def missing_bundle(environ: Mapping[str, str] = os.environ) -> str:
    """Return a clause about a variable that names nothing, which OpenSSL ignores silently."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        path = environ.get(name)
        if path and not Path(path).exists():
            return f"{name} names {printable(path)}, which does not exist"
    return ""


def _netrc_login(host: str, environ: Mapping[str, str]) -> Login | None:
    """Return the login for a host by name; a default entry is ignored."""
    path = environ.get("NETRC")
    try:
        file = Path(path) if path else Path.home() / ("_netrc" if os.name == "nt" else ".netrc")
        found = netrc.netrc(str(file)).hosts.get(host)
    except (OSError, RuntimeError, netrc.NetrcParseError):
        return None
    return Login(found[0], found[2] or "") if found else None
