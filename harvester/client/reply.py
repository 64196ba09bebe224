"""Classification of a reply by status, headers and first bytes: answer or error.

Sources: HTTP statuses and bodies recorded from NCBI's proxy, rate control and back ends, 2019 to
2026. HTML pages, rate-limit JSON and pages of blocked addresses arrive with status 200 as well.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import orjson

from harvester.errors import Cause, Fault, RateLimited, RequestFailed, printable
from harvester.eutils.parsing import error_fault, error_words

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEAD = 4096
"""Bytes of a body that are examined."""

_RATE_LIMIT = re.compile(rb"API rate limit exceeded", re.IGNORECASE)
_BAD_KEY = re.compile(rb"API key (?:is )?invalid|\"type\"\s*:\s*\"invalid\"", re.IGNORECASE)
_BLOCKED = re.compile(
    rb"Access Denied|temporarily blocked|blocked (?:due to|because of)|possible misuse",
    re.IGNORECASE,
)
_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*"
    rb"<(?:!DOCTYPE\s+html|html|head|title|meta|script|body|center|pre|h1)\b",
    re.IGNORECASE | re.DOTALL,
)
_XML_ERROR = re.compile(r"<ERROR>(.*?)</ERROR>", re.DOTALL)

PROXY_LOGIN = 407
"""HTTP status of a proxy that requires a login."""

_MAY_BE_EMPTY = frozenset(("efetch.fcgi",))
"""Utilities whose answer about unknown UIDs alone is empty (users' reports, 2026-09)."""

_MAX_RETRY_AFTER = 3600.0
"""Longest Retry-After that is honoured, in seconds."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply to one request.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        body: decompressed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


def check(reply: Reply, path: str = "elink.fcgi") -> bytes:
    """Return the body of a reply that may be an answer.

    Args:
        reply: what the server returned.
        path: file name of the utility that was asked, for error texts.

    Raises:
        RateLimited: NCBI counted too many requests.
        RequestFailed: anything else that is not an answer.
    """
    status, body = reply.status, reply.body
    head = body[:_HEAD]
    if status == 429 or (len(body) < _HEAD and _RATE_LIMIT.search(head)):
        raise RateLimited(_retry_after(reply.headers), _stated_limit(reply))
    if status in (400, 401, 403) and _BAD_KEY.search(head):
        reason = "the API key (NCBI_API_KEY) is invalid"
        raise RequestFailed(Fault.REFUSAL, reason, cause=Cause.KEY)
    html = _HTML.match(head) is not None
    if status == 403 or (html and _BLOCKED.search(head)):
        raise RequestFailed(
            Fault.REFUSAL,
            "this address is blocked; NCBI lifts it once tool and email are registered by mail",
            cause=Cause.BLOCKED,
        )
    if status in (404, 405, 410):
        raise RequestFailed(Fault.REFUSAL, f"HTTP {status}: this address has no {path}")
    if status in (301, 308):
        there = printable(reply.headers.get("location", "").partition("?")[0])
        raise RequestFailed(Fault.REFUSAL, f"it has moved to {there}; give that as --base-url")
    if status in (413, 414):
        raise RequestFailed(Fault.TOO_LARGE, f"HTTP {status}")
    if status != 200:
        there = reply.headers.get("location", "").partition("?")[0] if status < 400 else ""
        said = f"sent on to {there}" if there else "" if html else _error_text(body)
        reason = f"HTTP {status}: {said}" if said else f"HTTP {status}"
        retry_after = _retry_after(reply.headers)
        fault = error_fault(said) if status == 400 else Fault.SERVER
        cause = Cause.PROXY_LOGIN if status == PROXY_LOGIN else None
        raise RequestFailed(fault, printable(reason), retry_after, status, cause=cause)
    if html:
        raise RequestFailed(Fault.SERVER, "an HTML page in place of an answer")
    if not body.strip() and path not in _MAY_BE_EMPTY:
        raise RequestFailed(Fault.BODY, "an empty answer")
    return body


def _error_text(body: bytes) -> str:
    """Return the error text of a reply: in XML, in JSON or as plain text."""
    text = body[:_HEAD].decode("utf-8", "replace")
    try:
        said = orjson.loads(body)
        text = str(said.get("error") or said.get("ERROR") or "")
    except (orjson.JSONDecodeError, AttributeError):
        found = _XML_ERROR.search(text)
        text = found[1] if found else text if not text.lstrip().startswith("<") else ""
    return error_words(text)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a Retry-After header, counted from the server's Date if it is a date.

    NCBI sends seconds; proxies on the way may send a date.
    """
    said = headers.get("retry-after", "")
    try:
        seconds = float(said)
    except ValueError:
        try:
            now = parsedate_to_datetime(headers.get("date", ""))
            seconds = max(0.0, (parsedate_to_datetime(said) - now).total_seconds())
        except (ValueError, TypeError, OverflowError):
            return None
    return min(seconds, _MAX_RETRY_AFTER) if math.isfinite(seconds) and seconds >= 0 else None


def _stated_limit(reply: Reply) -> float | None:
    """Return the requests per second the server says it permits, in its body or headers.

    If it only says how many it counted (the form that NBK25497 shows), the limit is one less: the
    first request it refuses is one more than it permits.
    """
    try:
        said = orjson.loads(reply.body)
        stated, count = said.get("limit"), said.get("count")
    except (orjson.JSONDecodeError, AttributeError):
        stated = count = None
    header = reply.headers.get("x-ratelimit-limit")
    for value, excess in ((stated, 0), (header, 0), (count, 1)):
        try:
            limit = float(value) - excess  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
        if 0 < limit <= 10_000:
            return limit
    return None
