"""Build HTTP responses: NCBI's headers, chunks, compression."""

from __future__ import annotations

import time
import zlib
from email.utils import formatdate
from typing import TYPE_CHECKING

from aiohttp import HttpVersion11, web

if TYPE_CHECKING:
    from harvester.emulator.answers.answer import Answer
    from harvester.emulator.config import EmulatorConfig
    from harvester.emulator.ratelimit import Allowance

_YEAR = 365 * 86400

_ALWAYS = {
    "Server": "Finatra",
    "Cache-Control": "private",
    "Content-Security-Policy": "upgrade-insecure-requests",
    "NCBI-PHID": "322C2F91E09EF725000047241B9465D4.1.1.m_1",
    "NCBI-SID": "9C32A021C0219C1E_5D60SID",
    "Referrer-Policy": "origin-when-cross-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-UA-Compatible": "IE=Edge",
    "X-XSS-Protection": "1; mode=block",
}
"""Headers of recorded answers of 2024."""

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "X-RateLimit-Limit,X-RateLimit-Remaining",
}
"""Not sent with status 429 (live on 2026-09-25)."""


def headers(
    answer: Answer, config: EmulatorConfig, allowance: Allowance | None, *, left: int
) -> dict[str, str]:
    """Return the headers of an answer, without those about its length.

    Args:
        answer: the answer to send.
        config: settings.
        allowance: result of the rate limit; None if there is no limit.
        left: requests that the connection still accepts, this one included.
    """
    expires = formatdate(time.time() + _YEAR, usegmt=True)
    sent = {
        **_ALWAYS,
        **({} if answer.status == 429 else _CORS),
        "Content-Type": answer.content_type,
        "Set-Cookie": f"ncbi_sid=9C32A021C0219C1E_5D60SID; domain=.nih.gov; path=/; "
        f"expires={expires}",
    }
    if left <= 1:
        sent["Connection"] = "close"
    else:
        sent["Connection"] = "Keep-Alive"
        sent["Keep-Alive"] = f"timeout={config.keepalive_timeout:g}, max={left}"
    if allowance is not None:
        sent["X-RateLimit-Limit"] = str(allowance.limit)
        sent["X-RateLimit-Remaining"] = str(allowance.remaining)
    return sent | answer.headers


def build_response(
    request: web.BaseRequest, answer: Answer, sent: dict[str, str], *, gzip: bool
) -> web.Response:
    """Return the response: chunked, and compressed if the client accepts gzip.

    HTTP/1.0, which EDirect uses, has no chunks: the connection is closed after the answer.
    """
    body = answer.body
    if gzip and body and "gzip" in request.headers.get("Accept-Encoding", ""):
        packer = zlib.compressobj(1, zlib.DEFLATED, 31)
        body = packer.compress(body) + packer.flush()
        sent = sent | {"Content-Encoding": "gzip"}
    response = web.Response(body=body, status=answer.status, headers=sent)
    if request.version >= HttpVersion11:
        response.enable_chunked_encoding()
    else:
        response.headers["Connection"] = "close"
        response.force_close()
    return response
