"""Checks by one request to EInfo: connection, certificate, answer, API key and clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from harvester.client.reply import Reply, check
from harvester.errors import Cause, Fault, RateLimited, RequestFailed
from harvester.eutils import einfo
from harvester.runs.checks.finding import Finding, fine, unknown, wrong
from harvester.runs.checks.network import trusted
from harvester.runs.checks.who_asks import key_accepted, key_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harvester.client.client import Client

CLOCK_SECONDS = 60.0
"""Seconds by which the clocks may differ. Off-peak hours begin on the minute."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The one request.

    Attributes:
        reply: the reply; None if none came.
        failure: why the reply is not an answer; None if it is one.
        at: time of this machine, half-way between request and reply.
        seconds: from the request to the reply.
    """

    reply: Reply | None
    failure: RequestFailed | None
    at: datetime
    seconds: float


async def ask(client: Client, clock: Callable[[], datetime]) -> Probe:
    """Send the request, EInfo's list of databases, once."""
    begun, reply, failure = clock(), None, None
    try:
        reply = await client.look(einfo.PATH, {"retmode": "json"})
        einfo.read_databases(check(reply, einfo.PATH))
    except RequestFailed as error:
        failure = error
    ended = clock()
    return Probe(reply, failure, begun + (ended - begun) / 2, (ended - begun).total_seconds())


def findings(asked: Probe, host: str, key: str | None, environ: Mapping[str, str]) -> list[Finding]:
    """Return the findings from the request.

    Args:
        asked: the request.
        host: name and port of the server.
        key: the API key that was sent.
        environ: names trusted certificates.
    """
    found = [_connection(asked, host)]
    failure = asked.failure
    is_reached = asked.reply is not None and found[0].ok
    if failure is not None and failure.fault is Fault.UNTRUSTED:
        found.append(_untrusted(failure))
    elif is_reached:
        found.append(_trusted(environ))
    if not is_reached:
        needs = "tls" if failure is not None and failure.fault is Fault.UNTRUSTED else "connection"
        found += [unknown("answer", needs), unknown("clock", needs)]
        return [*found, unknown("api key", needs)] if key else found
    found.append(_answer(asked, host))
    found.append(_clock(asked))
    if key:
        found.append(_key(asked))
    return found


def _connection(asked: Probe, host: str) -> Finding:
    failure = asked.failure
    if failure is None or (asked.reply is not None and failure.cause is not Cause.PROXY_LOGIN):
        return fine("connection", f"{host} answered in {asked.seconds:.1f} s")
    if failure.fault is Fault.UNTRUSTED:
        return fine("connection", f"{host} is reached")
    remedy = "Check cables, firewall and proxy. In an institute, ask for its proxy: HTTPS_PROXY."
    if failure.cause is Cause.PROXY_LOGIN:
        remedy = "The proxy wants a login: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT, or netrc."
    elif failure.cause is Cause.PROXY:
        remedy = "Check the address of the proxy, and whether it permits this server."
    return wrong("connection", f"{host}: {failure.reason}", remedy)


def _trusted(environ: Mapping[str, str]) -> Finding:
    return fine("tls", f"the certificate is trusted, by {trusted(environ)}")


def _untrusted(failure: RequestFailed) -> Finding:
    remedy = (
        "Name the file of your institute's certificates in SSL_CERT_FILE (ask its helpdesk); do "
        "not turn the check off."
    )
    if failure.cause is Cause.DATES:
        remedy = "Check this machine's clock. If it is right, the server's certificate is to blame."
    return wrong("tls", failure.detail, remedy)


def _answer(asked: Probe, host: str) -> Finding:
    failure = asked.failure
    if failure is None or _is_key(failure):
        return fine("answer", "EInfo answers" if failure is None else "the server answers")
    if isinstance(failure, RateLimited):
        return wrong(
            "answer",
            "too many requests: others use the same address or API key now",
            "Wait until they are done, or use an API key of your own.",
        )
    remedies = {
        Fault.SERVER: "Try again later. If it is a login page of the network, log in with a "
        "browser first.",
        Fault.BODY: "Check --base-url: this is not an E-utilities server.",
        Fault.REFUSAL: "Check --base-url.",
    }
    remedy = remedies.get(failure.fault, "Try again later.")
    if failure.cause is Cause.BLOCKED:
        remedy = "Write to eutilities@ncbi.nlm.nih.gov with your tool and email (NBK25497)."
    return wrong("answer", f"{host}: {failure.reason}", remedy)


def _key(asked: Probe) -> Finding:
    if asked.failure is None:
        return key_accepted()
    return key_refused() if _is_key(asked.failure) else unknown("api key", "answer")


def _is_key(failure: RequestFailed) -> bool:
    return failure.cause is Cause.KEY


def _clock(asked: Probe) -> Finding:
    """Compare this machine's clock with the header Date; Age says how old a cached reply is."""
    assert asked.reply is not None
    headers = asked.reply.headers
    try:
        date = parsedate_to_datetime(headers["date"]).astimezone(UTC)
        date += timedelta(seconds=int(headers.get("age", "0")))
    except (KeyError, ValueError, OverflowError):
        return fine("clock", "not compared: the server does not say its time")
    # The header has whole seconds: on average it is half a second behind.
    ahead = (asked.at - date).total_seconds() - 0.5
    if abs(ahead) <= CLOCK_SECONDS + asked.seconds / 2:
        return fine("clock", f"within {max(abs(ahead), 1):.0f} s of the server's")
    way = "ahead of" if ahead > 0 else "behind"
    return wrong(
        "clock",
        f"{abs(ahead):,.0f} s {way} the server's: off-peak hours are missed by as much",
        "Set the clock by NTP (systemd: timedatectl set-ntp true).",
    )
