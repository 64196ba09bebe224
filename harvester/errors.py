"""The error tree. Each class knows its exit code, and its message is one sentence for the user.

```
HarvestError                 1  any error with a message of its own
├── BadInput                 2  command line, job file, UID list or environment is wrong
├── FolderError              1  the harvest's folder cannot be used (damaged, newer, full disk)
│   └── FolderInUse          5  another process runs the harvest
├── Refused                  4  the server refuses all requests (bad API key, blocked address)
├── GaveUp                  69  nothing was answered for as long as the job allows
├── WindowClosed            75  NCBI's off-peak hours are over, and the job is to end then
├── Interrupted        130/143  SIGINT or SIGTERM
└── RequestFailed            -  one request got no whole answer; the engine decides what follows
    └── RateLimited          -  429, or its text in a 200
```
"""

from __future__ import annotations

import errno
import re
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_BLANKS = re.compile(r"[ \t\r\n\f\v]+")


class HarvestError(Exception):
    """Base of all errors that end with a sentence rather than a traceback."""

    exit_code: ClassVar[int] = 1

    @property
    def exit_status(self) -> int:
        """Exit code of a command that ends with this error."""
        return self.exit_code


class BadInput(HarvestError):
    """The command line, the job file, a UID list or the environment is wrong.

    The message may have to name an option, an argument or a key of a job file, depending on the
    interface. So it can hold `{field}`, which the interface replaces by `named`.

    Args:
        message: one sentence; `{field}` in it stands for the name of the field.
        field: the key of a job that is wrong, such as `limits.rate`; empty if there is none.
        name: name of the field for the user; the key by default.
    """

    exit_code = 2

    def __init__(self, message: str, *, field: str = "", name: str = "") -> None:
        super().__init__(message.replace("{field}", name or field))
        self.message = message
        self.field = field

    def named(self, name: str) -> BadInput:
        """Return the error with another name for its field, such as `--rate` or `rate=`."""
        return BadInput(self.message, field=self.field, name=name)


class FolderError(HarvestError):
    """The harvest's folder cannot be used; nothing in it was changed."""


class FolderInUse(FolderError):
    """Another process runs the harvest in the folder."""

    exit_code = 5


class Refused(HarvestError):
    """The server refuses all requests: more requests would only do harm."""

    exit_code = 4


class GaveUp(HarvestError):
    """Nothing was answered for as long as `give_up_after` allows."""

    exit_code = 69


class WindowClosed(HarvestError):
    """NCBI's off-peak hours are over, and `stop_at_window_end` is set."""

    exit_code = 75


class Interrupted(HarvestError):
    """A signal ended the run; everything answered is committed.

    Args:
        signum: the signal's number; the exit code is 128 + signum.
        message: what happened to the answers so far.
    """

    def __init__(
        self, signum: int, message: str = "Interrupted; everything answered so far is kept."
    ) -> None:
        super().__init__(message)
        self.signum = signum

    @property
    def exit_status(self) -> int:
        """128 + the signal: 130 for SIGINT, 143 for SIGTERM."""
        return 128 + self.signum


class Fault(StrEnum):
    """The kinds of failed request; the engine handles each differently."""

    NETWORK = "network"  # no connection, reset, cut: no UID is to blame
    TIMEOUT = "timeout"  # perhaps too large a batch
    SERVER = "server"  # 5xx, ERROR in a 200, an HTML page
    BODY = "body"  # empty, cut or unparsable
    TOO_LARGE = "too large"  # 413, 414: halve at once
    LINKSET = "linkset"  # ERROR inside the LinkSet of one UID
    LEFT_OUT = "left out"  # a valid answer that names none of the requested UIDs
    UNTRUSTED = "untrusted"  # a certificate that cannot be verified
    REFUSAL = "refusal"  # bad key, blocked address, no such service
    REJECTED = "rejected"  # unknown cmd, wrong database name: a mistake in the job


class Cause(StrEnum):
    """Causes of a failed request that have a remedy of their own."""

    KEY = "key"  # the API key is invalid
    BLOCKED = "blocked"  # the server refuses this address
    PROXY = "proxy"  # the proxy does not connect
    PROXY_LOGIN = "proxy login"  # the proxy requires a login
    DATES = "dates"  # the certificate has expired, or is not valid yet


class RequestFailed(HarvestError):
    """One request got no whole answer.

    Args:
        fault: which kind of failure.
        reason: a short text for the `reason` column, free of secrets.
        retry_after: seconds the server asked us to wait, if it did.
        status: HTTP status of the response, if there was one other than 200.
        cause: the cause, if it has a remedy of its own.
        advice: a clause for the user, added to the reason.

    Attributes:
        detail: the reason without advice.
        body: the response in place of an answer, if it is known.
        unreadable: whether the response could not be read in its form, so that the other one (JSON
            or XML) may help.
    """

    body: bytes | None = None
    unreadable: bool = False

    def __init__(
        self,
        fault: Fault,
        reason: str,
        retry_after: float | None = None,
        status: int | None = None,
        *,
        cause: Cause | None = None,
        advice: str = "",
    ) -> None:
        self.detail = reason
        self.reason = f"{reason}; {advice}" if advice else reason
        super().__init__(self.reason)
        self.fault = fault
        self.status = status
        self.cause = cause
        self.retry_after = retry_after


class RateLimited(RequestFailed):
    """The server counted more requests than it permits.

    Args:
        retry_after: seconds the server asked us to wait, if it did.
        limit: requests per second that the server says it permits, if it does.
    """

    def __init__(self, retry_after: float | None = None, limit: float | None = None) -> None:
        super().__init__(Fault.SERVER, "rate limit exceeded", retry_after)
        self.limit = limit


FOR_ALL = frozenset({Fault.REFUSAL, Fault.UNTRUSTED})
"""Faults that concern every request and do not pass with time."""


def refused_by(failure: RequestFailed) -> Refused:
    """Return the error that ends a run after lasting failures of the kinds in `FOR_ALL`."""
    untrusted = failure.fault is Fault.UNTRUSTED
    who = "No safe connection" if untrusted else "The server refuses us"
    return Refused(f"{who}: {failure.reason.rstrip('.')}.")


def not_answering(who: str, reason: str) -> GaveUp:
    """Return the error that ends a run after `give_up_after` seconds without an answer.

    Args:
        who: the address of the server, or what else did not answer.
        reason: why the last request failed.
    """
    return GaveUp(f"{who} is not answering ({reason}).")


_TO_OPEN = {
    errno.EACCES: "Ask its owner for access, or name another one",
    errno.EPERM: "Ask its owner for access, or name another one",
    errno.ENAMETOOLONG: "Give a shorter name",
}
_TO_WRITE = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room below your quota",
    errno.EFBIG: "raise the limit of the size of a file (ulimit -f)",
}


def not_opened(path: str, error: OSError) -> FolderError:
    """Return the error for a file or folder that the system does not let us open."""
    remedy = _TO_OPEN.get(error.errno or 0, "Check the path, and the disk that it is on")
    return FolderError(f"{printable(path)} cannot be opened: {error.strerror or error}. {remedy}.")


def not_written(path: Path, error: OSError) -> FolderError:
    """Return the error for a file of a harvest that could not be written.

    Args:
        path: the file, or its folder.
        error: the cause; a file name in it replaces that of the folder.
    """
    remedy = _TO_WRITE.get(error.errno or 0, "make it writable, or restore it from a backup")
    return FolderError(
        f"{path / str(error.filename or '')} could not be written ({error.strerror}): {remedy}, "
        "then resume. Committed rows are kept."
    )


def printable(text: str, limit: int = 160) -> str:
    """Return an external text safe to show and store: one short line, no control characters."""
    line = _BLANKS.sub(" ", text).strip()
    line = "".join(char if char.isprintable() else "?" for char in line)
    return line[: limit - 1] + "…" if len(line) > limit else line


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a hint for a misspelt name: `` (did you mean 'pubmed'?)``, or an empty text.

    Known names may come from a server, so the hint is made printable.
    """
    spelt = {name.lower(): name for name in known}
    close = get_close_matches(word.lower(), spelt, n=1, cutoff=0.6)
    return f" (did you mean '{printable(spelt[close[0]])}'?)" if close else ""
