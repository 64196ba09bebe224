"""Answers of other servers at NCBI: rejections and pages of proxies, with their statuses."""

from __future__ import annotations

import orjson

from harvester.emulator.answers.answer import HTML_TYPE, JSON_TYPE, TEXT_TYPE, Answer


def rate_limit(who: str, count: int, limit: int, status: int = 429) -> Answer:
    """Return `API rate limit exceeded`: JSON for every retmode, numbers as strings."""
    body = {"error": "API rate limit exceeded", "api-key": who}
    return Answer(
        orjson.dumps(body | {"count": str(count), "limit": str(limit)}) + b"\n", JSON_TYPE, status
    )


def bad_key(key: str) -> Answer:
    """Return the rejection of an unknown API key. The body repeats the key, as at NCBI."""
    quoted = orjson.dumps(key)
    body = (
        b'{"error":"API key invalid","api-key":%b,"type":"invalid",\n"status":"unknown"}' % quoted
    )
    return Answer(body, JSON_TYPE, 400)


def forwarding(who: str) -> Answer:
    """Return the error of a rate-control service that is down, for all callers (2020-12)."""
    quoted = orjson.dumps(who)
    body = b'{"error":"error forwarding request","api-key":%b,"type":"ip",\n"status":"ok"}' % quoted
    return Answer(body, JSON_TYPE, 500)


def unroutable() -> Answer:
    """Return a proxy's plain text: the rate-control service cannot be found."""
    body = b"""Unable to route request!

service name: /http/service/ratecontrol
dtab:

base dtab:

override dtab:
"""
    return Answer(body, TEXT_TYPE, 502)


def uri_too_large() -> Answer:
    """Return the 414 page, which begins like an XML answer."""
    body = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN"
  "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" lang="en" xml:lang="en">
<head>
<title>Submitted URI too large!</title>
</head>
<body>
<h1>Submitted URI too large!</h1>
<p>
    The length of the requested URL exceeds the capacity limit for
    this server. The request cannot be processed.
</p>
<h2>Error 414</h2>
</body>
</html>
"""
    return Answer(body.encode(), HTML_TYPE, 414)


def diagnostic() -> Answer:
    """Return NCBI's HTML page for an error 500."""
    body = b"""<html>
<head> <title>NCBI/eutils202 - WWW Error 500 Diagnostic</title> </head>
<body> <h1>Server Error</h1>
<p>Your request could not be processed due to a problem on our Web server. This could be a \
transient problem, please try the query again.</p>
</body>
</html>
"""
    return Answer(body, HTML_TYPE, 500)


def gateway(status: int) -> Answer:
    """Return an HTML page of a proxy: 502, 503 or 504."""
    reason = {502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}[status]
    body = (
        f"<html>\n<head><title>{status} {reason}</title></head>\n"
        f"<body>\n<h1>{status} {reason}</h1>\n</body>\n</html>\n"
    )
    return Answer(body.encode(), HTML_TYPE, status)


def maintenance() -> Answer:
    """Return an HTML page with status 200."""
    body = b"""<!DOCTYPE html>
<html lang="en">
<head><title>NCBI - Site Maintenance</title></head>
<body><h1>The NCBI web site is temporarily unavailable</h1></body>
</html>
"""
    return Answer(body, HTML_TYPE)
