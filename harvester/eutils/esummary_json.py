"""ESummary's JSON, with repairs for records that break it.

NCBI writes some values of records into the JSON unescaped: control characters, half a surrogate,
unknown escapes, bare words such as `"status":suppressed` (users' reports, 2015 and later). Such
values are repaired. If that fails, each record is read by itself, so that only the bad one is lost.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from harvester.errors import Fault, RequestFailed

NOT_VALID = "its summary is not valid JSON"
"""Error of a record that cannot be read."""

_CONTROLS_TO_BLANKS = bytes.maketrans(bytes(range(32)), b" " * 32)
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_VALID_ESCAPES = b'"\\/bfnrt'
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|-?[0-9][0-9.eE+-]*+|[A-Za-z_][\w .;/+-]*+', re.DOTALL)
"""A string, a number, or a word outside of strings."""
_WORDS = (b"true", b"false", b"null")

_UIDS = re.compile(rb'"uids"\s*:\s*\[([^\]]*)\]')
_UID = re.compile(rb'"?(\w+)"?')
_AFTER_LAST = re.compile(rb"[\s,}]*\Z")
_CLOSED = re.compile(rb"\}\s*\}\s*\}\s*\Z")
"""End of an answer: of a record, of `result` and of all."""


def read_json(body: bytes) -> dict[str, Any]:
    """Return the object that an answer is.

    A record that cannot be read is an object with the member `error`.

    Raises:
        RequestFailed: the body is not JSON of ESummary, or cut.
    """
    document = _loads(body)
    if document is None:
        document = _loads(_mended(body))
    if document is None:
        document = _record_by_record(body)
    if not isinstance(document, dict):
        raise RequestFailed(Fault.BODY, "the answer is not JSON of ESummary, or cut")
    return document


def _loads(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _mended(body: bytes) -> bytes:
    body = _ESCAPE.sub(_valid_escape, body.translate(_CONTROLS_TO_BLANKS))
    return _TOKEN.sub(_valid_token, body)


def _valid_escape(escape: re.Match[bytes]) -> bytes:
    """Return an escape that JSON allows; half a surrogate becomes U+FFFD."""
    text = escape[0]
    if len(text) == 2:
        return b"'" if text == rb"\'" else text if text[1:] in _VALID_ESCAPES else b"\\" + text
    is_half = len(text) == 6 and b"d8" <= text[2:4].lower() <= b"df"
    return b"\\ufffd" if is_half else text


def _valid_token(token: re.Match[bytes]) -> bytes:
    """Return a bare word as a string; anything else as it is."""
    text = token[0]
    is_word = text[:1].isalpha() or text[:1] == b"_"
    return b'"%b"' % text.strip() if is_word and text.strip() not in _WORDS else text


def _record_by_record(body: bytes) -> dict[str, Any] | None:
    """Return what can be read if each record is read by itself; None, if the answer is cut."""
    listed = _UIDS.search(body)
    if listed is None or _CLOSED.search(body) is None:
        return None
    uids = _UID.findall(listed[1])
    starts, at = [], listed.end()
    for uid in uids:
        key = re.compile(rb'"%b"\s*:\s*' % re.escape(uid)).search(body, at)
        if key is None:
            return None
        starts.append((key.start(), key.end()))
        at = key.end()
    result: dict[str, Any] = {"uids": [uid.decode() for uid in uids]}
    ends = [*(start for start, _ in starts[1:]), len(body)]
    for uid, (_, start), end in zip(uids, starts, ends, strict=True):
        record, left = _object(body[start:end])
        if record is not None and end == len(body) and left < 2:
            return None
        result[uid.decode()] = {"error": NOT_VALID} if record is None else record
    return {"result": result}


def _object(text: bytes) -> tuple[dict[str, Any] | None, int]:
    """Return the object that a text begins with, and how many closing braces follow it."""
    end = _AFTER_LAST.search(text)
    assert end is not None
    closing = text[end.start() :].count(b"}")
    text = text[: end.start()]
    for left in reversed(range(closing)):  # it is unknown how many of the braces belong to it
        text += b"}"
        for attempt in (text, _mended(text)):
            found = _loads(attempt)
            if isinstance(found, dict):
                return found, left
    return None, 0
