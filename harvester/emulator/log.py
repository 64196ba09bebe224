"""The server's own record of every request, in memory and, if wished, in a file."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.emulator.request import UtilityRequest


@dataclass(slots=True)
class Entry:
    """One request. All times but `time` are seconds of one monotonic clock.

    Attributes:
        arrived: time of arrival at this machine.
        time: seconds since 1970 at arrival.
        client: address of the client.
        connection: number of the connection, from 1.
        nth: which request on this connection this is, from 1.
        method: GET or POST.
        utility: `elink`, ...; empty for an unknown path.
        names: parameter names, each once, in the order sent.
        ids: number of UIDs in all `id` parameters.
        parameters: number of `id` parameters; more than one is a request by id.
        key: eight hex digits of the API key's hash, or empty; never the key.
        service: service time in seconds; None if no worker accepted the request.
        began: when a worker began to serve it; None while it waits.
        ended: when the worker was free again; None before.
        gone: whether the client had hung up before it was answered.
        status: of the answer; 0 if none was sent.
        fault: name of the fault applied, or empty.
        bytes: size of the body before compression.
        seconds: from arrival until the client was answered or had hung up.
    """

    arrived: float
    time: float
    client: str
    connection: int
    nth: int
    method: str
    utility: str = ""
    names: tuple[str, ...] = ()
    ids: int = 0
    parameters: int = 0
    key: str = ""
    service: float | None = None
    began: float | None = None
    ended: float | None = None
    gone: bool = False
    status: int = 0
    fault: str = ""
    bytes: int = 0
    seconds: float = 0.0

    def describe(self, request: UtilityRequest) -> None:
        """Record what was requested, without any value of it."""
        self.utility = request.utility
        self.names = request.names
        ids = request.every("id")
        self.parameters = len(ids)
        self.ids = len(ids) + sum(value.count(",") for value in ids)
        if request.has_key:
            self.key = hashlib.blake2b(request.who.encode(), digest_size=4).hexdigest()

    @property
    def in_service(self) -> bool:
        """True if the request waits for a worker or has one."""
        return self.service is not None and self.ended is None

    @property
    def useful(self) -> bool:
        """True if a client received a right answer."""
        return self.status == 200 and not self.fault and not self.gone


class RequestLog:
    """All requests in order of arrival.

    Args:
        path: a file that gets each entry as one JSON line when its answer and its service have
            ended.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.entries: list[Entry] = []
        self._file = Path(path).open("ab", buffering=0) if path else None  # noqa: SIM115

    def arrive(
        self, client: str, connection: int, nth: int, method: str, waited: float = 0.0
    ) -> Entry:
        """Note a request that arrived some seconds ago."""
        arrived, at = time.monotonic() - waited, time.time() - waited
        entry = Entry(arrived, at, client, connection, nth, method)
        self.entries.append(entry)
        return entry

    def end(self, entry: Entry) -> None:
        """Note that a request has been answered or that its client has hung up."""
        entry.seconds = time.monotonic() - entry.arrived
        if not entry.in_service:
            self.write(entry)

    def write(self, entry: Entry) -> None:
        """Append an entry to the file, if there is one."""
        if self._file is not None:
            self._file.write(orjson.dumps(entry) + b"\n")

    def busiest_second(self) -> int:
        """Return the highest number of requests that arrived within any second."""
        arrivals = sorted(entry.arrived for entry in self.entries)
        most = first = 0
        for last, arrived in enumerate(arrivals):
            while arrivals[first] <= arrived - 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most

    def wasted_share(self) -> float:
        """Return the share of the workers' busy time spent on answers no client received.

        Services that have not ended are not counted; without any service the share is 0.
        """
        served = [
            (entry.ended - entry.began, entry.useful)
            for entry in self.entries
            if entry.began is not None and entry.ended is not None
        ]
        whole = sum(seconds for seconds, _ in served)
        return sum(seconds for seconds, useful in served if not useful) / whole if whole else 0.0

    def uids_per_second(self, first: float, last: float) -> float:
        """Return the UIDs per second in right answers whose service ended between two times.

        Args:
            first: start of the span, on the clock of `Entry.arrived`.
            last: end of the span.
        """
        uids = sum(
            entry.ids
            for entry in self.entries
            if entry.useful and entry.ended is not None and first <= entry.ended < last
        )
        return uids / (last - first)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
