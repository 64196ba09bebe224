"""The server's own account of every request, in memory and, if wished, in a file."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harvester.emulator.request import Asked


@dataclass(slots=True)
class Entry:
    """One request.

    Attributes:
        arrived: monotonic seconds at arrival.
        time: seconds since 1970 at arrival.
        client: address of the client.
        connection: number of the connection, from 1.
        nth: which request on this connection this is, from 1.
        method: GET or POST.
        utility: `elink`, ...; empty for a path that is none.
        names: parameter names, each once, in the order sent.
        ids: number of ids in all `id` parameters.
        parameters: number of `id` parameters: more than one asks by id.
        key: eight hex digits of the API key's hash, or empty; never the key.
        status: of the answer; 0 where none was sent.
        fault: name of the fault applied, or empty.
        bytes: of the body, before compression.
        seconds: from arrival to the end of the answer.
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
    status: int = 0
    fault: str = ""
    bytes: int = 0
    seconds: float = 0.0

    def describe(self, asked: Asked) -> None:
        """Note what was asked, keeping no value of it."""
        self.utility = asked.utility
        self.names = tuple(dict.fromkeys(name for name, _ in asked.parameters))
        ids = asked.every("id")
        self.parameters = len(ids)
        self.ids = len(ids) + sum(value.count(",") for value in ids)
        if asked.has_key:
            self.key = hashlib.blake2b(asked.who.encode(), digest_size=4).hexdigest()


class RequestLog:
    """All requests in order of arrival.

    Args:
        path: a file that gets each entry as one JSON line when its answer has ended.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self.entries: list[Entry] = []
        self._file = Path(path).open("ab", buffering=0) if path else None  # noqa: SIM115

    def arrive(
        self, client: str, connection: int, nth: int, method: str, waited: float = 0.0
    ) -> Entry:
        """Note a request that came in some seconds ago."""
        arrived, at = time.monotonic() - waited, time.time() - waited
        entry = Entry(arrived, at, client, connection, nth, method)
        self.entries.append(entry)
        return entry

    def end(self, entry: Entry) -> None:
        """Note that a request has been answered or given up."""
        entry.seconds = time.monotonic() - entry.arrived
        if self._file is not None:
            self._file.write(orjson.dumps(entry) + b"\n")

    def busiest_second(self) -> int:
        """The most requests that arrived in any sliding second."""
        arrivals = sorted(entry.arrived for entry in self.entries)
        most = first = 0
        for last, arrived in enumerate(arrivals):
            while arrivals[first] <= arrived - 1.0:
                first += 1
            most = max(most, last - first + 1)
        return most

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
