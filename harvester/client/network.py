"""Network settings from the environment: proxies, logins and trusted certificates.

The variables are those of curl and requests: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`, a netrc
file, `SSL_CERT_FILE`, `SSL_CERT_DIR`, `REQUESTS_CA_BUNDLE` and `CURL_CA_BUNDLE`.
"""

from __future__ import annotations

import netrc
import os
import ssl
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
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
        BadInput: the proxy's URL is not one of an HTTP proxy, or a login is none of HTTP.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    login = _netrc_login(host, environ)
    proxies = getproxies()
    address = proxies.get(parts.scheme) or proxies.get("all")
    named = proxy_bypass(parts.netloc.rpartition("@")[2]) or proxy_bypass(host)
    if not address or named or _in_a_network(host, proxies.get("no", "")):
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
        proxy_login = _login(unquote(proxy.username), unquote(proxy.password or ""), name)
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


def _in_a_network(host: str, exceptions: str) -> bool:
    """Return whether a host is an address in one of the networks in a list, like 10.0.0.0/8."""
    for name in exceptions.split(","):
        with suppress(ValueError):  # a host name, or a network of the other kind
            if "/" in name and ip_address(host) in ip_network(name.strip(), strict=False):
                return True
    return False


def _login(user: str, password: str, where: str) -> Login:
    """Return a login.

    Raises:
        BadInput: HTTP cannot carry it.
    """
    if ":" in user:
        raise BadInput(f"{where} has a user name with a colon, which HTTP cannot carry.")
    return Login(user, password)


def _netrc_login(host: str, environ: Mapping[str, str]) -> Login | None:
    """Return the login for a host by name; a default entry is ignored."""
    path = environ.get("NETRC")
    try:
        file = Path(path) if path else Path.home() / ("_netrc" if os.name == "nt" else ".netrc")
        found = netrc.netrc(str(file)).hosts.get(host)
    except (OSError, RuntimeError, UnicodeError, netrc.NetrcParseError):
        return None
    return _login(found[0], found[2] or "", "The netrc file") if found else None
