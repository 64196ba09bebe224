"""The HTTP session: form out; status, headers and body in. Only this module uses aiohttp."""

from __future__ import annotations

import asyncio
import warnings
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import aiohttp

from harvester.client.network import missing_bundle, route_to, tls_context
from harvester.client.reply import PROXY_LOGIN, Reply
from harvester.errors import Cause, Fault, RequestFailed, printable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import SimpleNamespace, TracebackType
    from typing import Self

    from harvester.client.network import Login

OnSent: TypeAlias = "Callable[[], Awaitable[None] | None]"

IDLE_SECONDS = 3.0
"""Seconds after which an idle connection is closed. NCBI closes it after 4
(`Keep-Alive: timeout=4`, recorded 2024)."""

REQUESTS_PER_CONNECTION = 39
"""Requests after which a connection is closed. NCBI closes it after 40 (`Keep-Alive: max=40`,
recorded 2024)."""

CONNECT_SECONDS = 15.0
"""Seconds for opening a connection."""

_NAME_THE_BUNDLE = (
    "if your institute's own authority signed it, name the file of its certificates in "
    "SSL_CERT_FILE"
)

_DATES = (9, 10)
"""OpenSSL's codes of a certificate that is not valid yet, or has expired (x509_vfy.h)."""

MAX_BODY = 256 << 20
"""Bytes above which an answer is abandoned; 5,000 UIDs with 1,000 scored links each are 200 MB."""

_HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept-Encoding": "gzip, deflate",
}


class Transport:
    """An HTTP session with the limits of NCBI's servers.

    Args:
        base_url: URL of the folder of E-utilities, with a slash at its end.
        timeout: seconds for a whole request, and for the wait for each part of its answer.

    Attributes:
        base_url: as given.

    Example:
        ```
        async with Transport("https://eutils.ncbi.nlm.nih.gov/entrez/eutils/", 60) as transport:
            reply = await transport.post("elink.fcgi", form, on_sent=lambda: None)
        ```
    """

    def __init__(self, base_url: str, timeout: float) -> None:
        self.base_url = base_url
        self._timeout = aiohttp.ClientTimeout(
            total=timeout, connect=min(CONNECT_SECONDS, timeout), sock_read=timeout
        )
        self._session: aiohttp.ClientSession | None = None
        self._proxy: str | None = None

    def __repr__(self) -> str:
        """Return a short text for logs and tests."""
        return f"Transport({self.base_url!r})"

    async def __aenter__(self) -> Self:
        """Open the session inside the running loop."""
        route = route_to(self.base_url)
        self._proxy = route.proxy
        connector = aiohttp.TCPConnector(
            limit=0,  # the engine limits the requests in flight
            keepalive_timeout=IDLE_SECONDS,
            ssl=tls_context() if self._uses_tls() else True,
        )
        with warnings.catch_warnings():
            # aiohttp 3.14 names another form for logins, which 3.13 does not have.
            warnings.simplefilter("ignore", DeprecationWarning)
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                request_class=_counted_requests(),
                timeout=self._timeout,
                headers=_HEADERS,
                trace_configs=[_sent_trace()],
                proxy=route.proxy,
                proxy_auth=_basic(route.proxy_login),
                auth=_basic(route.login),
            )
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the session and its connections."""
        if self._session is not None:
            await self._session.close()

    def _uses_tls(self) -> bool:
        return any((url or "").startswith("https:") for url in (self.base_url, self._proxy))

    def _untrusted(self, error: Exception) -> RequestFailed:
        """Return the failure of a request to a server whose certificate is not trusted."""
        cause = error.__cause__ or error
        why = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or "TLS failed"
        reason = (
            f"the certificate of {urlsplit(self.base_url).netloc} is not trusted "
            f"({printable(str(why))})"
        )
        missing = missing_bundle()
        return RequestFailed(
            Fault.UNTRUSTED,
            f"{reason}; {missing}" if missing else reason,
            cause=Cause.DATES if getattr(cause, "verify_code", 0) in _DATES else None,
            advice="" if missing else _NAME_THE_BUNDLE,
        )

    async def post(self, path: str, form: bytes, on_sent: OnSent) -> Reply:
        """Send a form. Redirects are not followed: the form may hold the API key.

        Args:
            path: file name of the utility, below the base URL.
            form: body of the request.
            on_sent: called when the connection is ready and the request about to be written; if
                it returns an awaitable, that is awaited before.

        Raises:
            RequestFailed: no whole reply came: NETWORK, TIMEOUT, or BODY if it was cut or damaged
                in transit.
        """
        if self._session is None:
            raise RuntimeError("the transport is not open: use it with `async with`")
        try:
            async with self._session.post(
                self.base_url + path,
                data=form,
                allow_redirects=False,
                trace_request_ctx=on_sent,
            ) as response:
                body = await _bounded(response)
                headers = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status, headers, body)
        except TimeoutError as error:
            raise RequestFailed(Fault.TIMEOUT, "no answer in time") from error
        except (aiohttp.ClientPayloadError, aiohttp.ContentTypeError) as error:
            raise RequestFailed(Fault.BODY, "the answer was cut or damaged in transit") from error
        except aiohttp.ServerDisconnectedError as error:
            raise RequestFailed(Fault.NETWORK, "the server closed the connection") from error
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
            raise self._untrusted(error) from error
        except aiohttp.ClientHttpProxyError as error:
            reason = f"the proxy {self._proxy} answers HTTP {error.status}"
            wrong = error.status in (401, 403, 407)
            fault = Fault.REFUSAL if wrong else Fault.NETWORK
            cause = Cause.PROXY_LOGIN if error.status == PROXY_LOGIN else Cause.PROXY
            raise RequestFailed(fault, reason, cause=cause) from error
        except aiohttp.ClientConnectorError as error:
            why = error.os_error.strerror or "failed"
            through = f" to the proxy {self._proxy}" if self._proxy else ""
            raise RequestFailed(
                Fault.NETWORK,
                f"no connection{through}: {why}",
                cause=Cause.PROXY if self._proxy else None,
            ) from error
        except aiohttp.ClientResponseError as error:
            reason = "the answer breaks the rules of HTTP, or its encoding is none asked for"
            raise RequestFailed(Fault.NETWORK, reason) from error
        except (aiohttp.ClientError, OSError, ValueError, asyncio.IncompleteReadError) as error:
            # The text of an aiohttp error may quote what was sent: only its type is kept.
            raise RequestFailed(
                Fault.NETWORK, f"the connection failed ({type(error).__name__})"
            ) from error


def _basic(login: Login | None) -> aiohttp.BasicAuth | None:
    return None if login is None else aiohttp.BasicAuth(login.user, login.password, "utf-8")


async def _bounded(response: aiohttp.ClientResponse) -> bytes:
    """Return the whole body, unless it exceeds `MAX_BODY`."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > MAX_BODY:
            response.close()
            raise RequestFailed(Fault.TOO_LARGE, f"an answer of more than {MAX_BODY >> 20} MiB")
        chunks.append(chunk)
    return b"".join(chunks)


def _sent_trace() -> aiohttp.TraceConfig:
    """Return a trace that calls each request's `on_sent` before its bytes are written.

    aiohttp keeps the headers back until the body comes, and awaits the trace before it writes both.
    """

    async def on_body(_: object, context: SimpleNamespace, __: object) -> None:
        if (waiting := context.trace_request_ctx()) is not None:
            await waiting

    trace = aiohttp.TraceConfig()
    trace.on_request_chunk_sent.append(on_body)
    return trace


def _counted_requests() -> type[aiohttp.ClientRequest]:
    """Return a request class that closes a connection before NCBI would close it in use."""
    sent: WeakKeyDictionary[Any, int] = WeakKeyDictionary()

    class CountedRequest(aiohttp.ClientRequest):
        async def send(self, conn: Any) -> aiohttp.ClientResponse:
            protocol = conn.protocol
            sent[protocol] = sent.get(protocol, 0) + 1
            if sent[protocol] >= REQUESTS_PER_CONNECTION:
                protocol.force_close()  # not reused after this answer
            return await super().send(conn)

    return CountedRequest
