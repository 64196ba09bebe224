"""Classification of a reply by status, headers and body, for every kind that NCBI has sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recorded_answers import body_of

from harvester.client.reply import Reply, check
from harvester.errors import Fault, RateLimited, RequestFailed

KEY = "0123456789abcdef0123456789abcdef0123"
ANSWER = b'{"header":{"type":"elink","version":"0.3"},"linksets":[]}\n'
HTML = b"<!DOCTYPE html>\n<html><head><title>NCBI</title></head><body>busy</body></html>"
XHTML = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"\n "http://www.w3.org/x.dtd">\n'
    b'<html xmlns="http://www.w3.org/1999/xhtml"><title>Submitted URI too large!</title></html>'
)
DIAGNOSTIC = b"<head> <title>NCBI/eutils202 - WWW Error 500 Diagnostic</title> </head> <body>"
UNROUTABLE = b"Unable to route request!\n\nservice name: /http/service/ratecontrol\ndtab:\n"
LIMIT = b'{"error":"API rate limit exceeded","api-key":"192.0.2.1","count":"17","limit":"3"}'
SHORT_LIMIT = b'{"error":"API rate limit exceeded","count":"11"}\n'
BAD_KEY = (
    b'{"error":"API key invalid","api-key":"' + KEY.encode() + b'","type":"invalid",\n'
    b'"status":"unknown"}'
)
FORWARDING = (
    b'{"error":"error forwarding request","api-key":"192.0.2.1","type":"ip",\n"status":"ok"}'
)
BLOCKED = (
    b"<html><head><title>Access Denied</title></head><body>Your access to the NCBI website has "
    b"been temporarily blocked due to a possible misuse/abuse situation.</body></html>"
)


def _reply(status: int, body: bytes, **headers: str) -> Reply:
    return Reply(status, {name.replace("_", "-"): text for name, text in headers.items()}, body)


def _failure(status: int, body: bytes, **headers: str) -> RequestFailed:
    with pytest.raises(RequestFailed) as caught:
        check(_reply(status, body, **headers))
    return caught.value


@pytest.mark.parametrize(
    "body",
    [
        ANSWER,
        b'{"linksets":[],"ERROR":"Couldn\'t resolve #exLinkSrv2, the address table is empty."}',
        b'<?xml version="1.0" encoding="UTF-8" ?>\n<!DOCTYPE eLinkResult PUBLIC "x" "y">\n'
        b"<eLinkResult></eLinkResult>",
        b"<eLinkResult/>",
    ],
)
def test_what_may_be_an_answer_is_handed_on_whole(body: bytes) -> None:
    assert check(_reply(200, body)) == body


@pytest.mark.parametrize(
    ("status", "body", "fault"),
    [
        (400, BAD_KEY, Fault.REFUSAL),
        (401, BAD_KEY, Fault.REFUSAL),
        (403, BAD_KEY, Fault.REFUSAL),
        (403, HTML, Fault.REFUSAL),
        (403, b"", Fault.REFUSAL),
        (403, BLOCKED, Fault.REFUSAL),
        (200, BLOCKED, Fault.REFUSAL),
        (404, HTML, Fault.REFUSAL),
        (410, b"", Fault.REFUSAL),
        (413, HTML, Fault.TOO_LARGE),
        (414, XHTML, Fault.TOO_LARGE),
        (400, b"Mandatory parameter: db - is omitted", Fault.SERVER),
        (400, b"<eFetchResult><ERROR>ID list is empty!</ERROR></eFetchResult>", Fault.LINKSET),
        (500, FORWARDING, Fault.SERVER),
        (500, DIAGNOSTIC, Fault.SERVER),
        (502, HTML, Fault.SERVER),
        (503, UNROUTABLE, Fault.SERVER),
        (504, HTML, Fault.SERVER),
        (408, b"", Fault.SERVER),
        (200, HTML, Fault.SERVER),
        (200, XHTML, Fault.SERVER),
        (200, DIAGNOSTIC, Fault.SERVER),
        (200, b"\r\n <HTML>", Fault.SERVER),
        (200, b"", Fault.BODY),
        (200, b" \r\n\t\n", Fault.BODY),
    ],
)
def test_each_kind_of_failure_is_distinguished(status: int, body: bytes, fault: Fault) -> None:
    failure = _failure(status, body)
    assert not isinstance(failure, RateLimited)
    assert failure.fault is fault
    assert failure.reason.isprintable()
    if fault in (Fault.SERVER, Fault.LINKSET) and status != 200:
        assert str(status) in failure.reason


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize(("body", "limit"), [(LIMIT, 3.0), (SHORT_LIMIT, 10.0)])
def test_the_rate_limit_is_known_by_status_or_text(
    status: int, body: bytes, limit: float | None
) -> None:
    """NCBI's proxy has sent it with status 200 too."""
    failure = _failure(status, body)
    assert isinstance(failure, RateLimited)
    assert failure.limit == limit


@pytest.mark.parametrize("body", [b"", HTML, b"[]", b'"x"', b"\xff", b'{"limit":{}}', b"null"])
def test_429_needs_no_known_body(body: bytes) -> None:
    failure = _failure(429, body)
    assert isinstance(failure, RateLimited)
    assert failure.limit is None


@pytest.mark.parametrize(
    ("body", "header", "limit"),
    [
        (LIMIT, "10", 3.0),
        (SHORT_LIMIT, "10", 10.0),
        (b"", "3", 3.0),
        (b'{"limit":"0"}', "", None),
        (b'{"count":"7"}', "", 6.0),
        (b'{"count":"17"}', "9", 9.0),
        (b'{"count":"1"}', "", None),
        (b'{"limit":"-3"}', "6", 6.0),
        (b'{"limit":"many"}', "nan", None),
        (b'{"limit":1e300}', "inf", None),
        (b'{"limit":6}', "", 6.0),
    ],
)
def test_the_limit_is_what_the_body_states_or_else_the_header(
    body: bytes, header: str, limit: float | None
) -> None:
    failure = _failure(429, body, x_ratelimit_limit=header)
    assert isinstance(failure, RateLimited)
    assert failure.limit == limit


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("2", 2.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("", None),
        ("-1", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("999999999", 3600.0),
    ],
)
def test_retry_after_is_read_where_it_makes_sense(
    status: int, header: str, seconds: float | None
) -> None:
    assert _failure(status, b"", retry_after=header).retry_after == seconds


@pytest.mark.parametrize(
    ("date", "until", "seconds"),
    [
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:30:05 GMT", 125.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:00:00 GMT", 0.0),
        ("Wed, 21 Oct 2026 07:28:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", 3600.0),
        ("Wed, 21 Oct 2026 07:28:00 -0000", "Wed, 21 Oct 2026 07:30:05 GMT", None),
        ("today", "Wed, 21 Oct 2026 07:30:05 GMT", None),
    ],
)
def test_a_retry_after_that_is_a_date_counts_from_the_clock_of_the_server(
    date: str, until: str, seconds: float | None
) -> None:
    assert _failure(503, b"", retry_after=until, date=date).retry_after == seconds


@pytest.mark.parametrize(
    "page",
    [
        b"<!-- a proxy's -->\n<html><body>Log in</body></html>",
        b"\xef\xbb\xbf<!DOCTYPE html><html></html>",
        b"<title>Log in</title>",
        b"<center><h1>502 Bad Gateway</h1></center>",
        b"<script>location = '/login'</script>",
        b"<body>busy</body>",
    ],
)
def test_a_page_is_no_answer_however_it_begins(page: bytes) -> None:
    """EFetch has texts of any kind: what is not recognised here would be stored as a record."""
    with pytest.raises(RequestFailed, match="an HTML page in place of an answer"):
        check(_reply(200, page), "efetch.fcgi")


def test_without_the_header_there_is_no_retry_after() -> None:
    assert _failure(429, LIMIT).retry_after is None


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("body", [BAD_KEY, FORWARDING.replace(b"192.0.2.1", KEY.encode())])
def test_an_echoed_key_is_never_repeated(status: int, body: bytes) -> None:
    try:
        check(_reply(status, body))
    except RequestFailed as failure:
        said = repr(failure) + str(failure) + failure.reason
    else:
        said = ""
    assert KEY not in said


def test_a_large_answer_is_no_rate_limit_for_having_the_words_in_it() -> None:
    body = b'{"linksets":[],"x":"API rate limit exceeded' + b"." * 5000 + b'"}'
    assert check(_reply(200, body)) == body


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_no_answer(status: int) -> None:
    """http://eutils… answered so; following it could send the key to another host."""
    failure = _failure(status, HTML, location="https://elsewhere.example.org/in?key=secret")
    assert not isinstance(failure, RateLimited)
    assert "https://elsewhere.example.org/in" in failure.reason
    assert "secret" not in failure.reason


@pytest.mark.parametrize("status", [301, 308])
def test_a_permanent_redirect_is_reported_and_not_retried(status: int) -> None:
    """For example http:// in place of https://; no later answer differs."""
    moved = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils/"
    failure = _failure(status, HTML, location=moved)
    assert failure.fault is Fault.REFUSAL
    assert moved in failure.reason


@given(st.integers(100, 599), st.binary(max_size=300), st.text(max_size=20))
def test_any_reply_is_an_answer_or_a_failure(status: int, body: bytes, header: str) -> None:
    reply = Reply(status, {"retry-after": header, "x-ratelimit-limit": header}, body)
    try:
        assert check(reply) == body
    except RequestFailed as failure:
        said = failure.reason
    else:
        assert status == 200
        said = ""
    assert said.isprintable()


_RECORDED = {
    "quoted-in-issues-and-docs/http400_api_key_invalid.json": (400, Fault.REFUSAL),
    "quoted-in-issues-and-docs/http414_uri_too_large.truncated.html": (414, Fault.TOO_LARGE),
    "quoted-in-issues-and-docs/http500_error_forwarding_request.json": (500, Fault.SERVER),
    "quoted-in-issues-and-docs/http500_www_error_diagnostic.truncated.html": (500, Fault.SERVER),
    "quoted-in-issues-and-docs/ratecontrol_unroutable.txt": (503, Fault.SERVER),
}
_RECORDED_LIMITS = {
    "quoted-in-issues-and-docs/http429_docs_form.json": 10.0,
    "quoted-in-issues-and-docs/http429_with_ip.json": 3.0,
    "quoted-in-issues-and-docs/http429_with_ip_2.json": 3.0,
    "genomoncology-biomcp/ratelimit_429_body.json": 3.0,
}


@pytest.mark.parametrize("name", _RECORDED)
def test_recorded_failures(name: str) -> None:
    status, fault = _RECORDED[name]
    assert _failure(status, body_of(name)).fault is fault


_PAGES = [
    "quoted-in-issues-and-docs/http414_uri_too_large.truncated.html",
    "quoted-in-issues-and-docs/http500_www_error_diagnostic.truncated.html",
    "bionode-bionode-ncbi/Link_sra_to_bioproject__0_elink.html",
    "bionode-bionode-ncbi/Link_bioproject_to_assembly__0_elink.html",
]


@pytest.mark.parametrize("name", _PAGES)
def test_recorded_pages_with_status_200(name: str) -> None:
    assert _failure(200, body_of(name)).fault is Fault.SERVER


@pytest.mark.parametrize("status", [200, 429])
@pytest.mark.parametrize("name", _RECORDED_LIMITS)
def test_recorded_rate_limits(name: str, status: int) -> None:
    failure = _failure(status, body_of(name))
    assert isinstance(failure, RateLimited)
    assert failure.limit == _RECORDED_LIMITS[name]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"Mandatory parameter: db - is omitted", "Mandatory parameter: db - is omitted"),
        (
            b"<eFetchResult><ERROR>ID list is empty! Possibly it has no correct IDs.</ERROR>"
            b"</eFetchResult>",
            "ID list is empty! Possibly it has no correct IDs.",
        ),
        (FORWARDING, "error forwarding request"),
        (
            b"Error: CEFetchPApplication::proxy_stream(): Error: F a i l e d  t o  r e t r i e v e"
            b"  s e q u e n c e :  N G _ 9 9 9 9 9 9 \n\n",
            "Error: CEFetchPApplication::proxy_stream(): Error: Failed to retrieve sequence: "
            "NG_999999",
        ),
        (b"Error%3A%20Failed%20to%20retrieve", "Error: Failed to retrieve"),
        (b'{"other": 1}', ""),
        (DIAGNOSTIC, ""),
    ],
)
def test_the_words_of_an_error_are_shown_beside_its_status(body: bytes, words: str) -> None:
    assert _failure(400, body).reason == (f"HTTP 400: {words}" if words else "HTTP 400")


@pytest.mark.parametrize("status", [404, 405, 410])
def test_a_missing_utility_is_named(status: int) -> None:
    with pytest.raises(RequestFailed, match=f"HTTP {status}: this address has no efetch.fcgi"):
        check(_reply(status, b""), "efetch.fcgi")
