"""The claim of a harvest: the process that runs it, recorded in its state.

It is a second guard for nodes that do not see each other's lock. Each transaction checks that the
claim is still that of its process, and renews its time.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from dataclasses import asdict, dataclass, replace
from typing import Self

from harvester.errors import printable

WATCH_SECONDS = 5.0
"""Seconds for which the claim of another host is watched; its process renews it every second."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The process that runs a harvest.

    Attributes:
        host: name of its machine.
        pid: its number there.
        token: random; no two runs share it.
        time: when it was last renewed, in seconds since 1970 by the clock of its machine.
    """

    host: str
    pid: int
    token: str
    time: float

    @classmethod
    def new(cls) -> Self:
        """Return a claim of this process."""
        return cls(socket.gethostname(), os.getpid(), secrets.token_hex(8), time.time())

    @classmethod
    def load(cls, text: str | None) -> Self | None:
        """Return the claim that `dump` wrote; None without one."""
        return None if text is None else cls(**json.loads(text))

    def dump(self) -> str:
        """Return the claim as text."""
        return json.dumps(asdict(self))

    def renewed(self) -> Claim:
        """Return the claim with the time of now."""
        return replace(self, time=time.time())

    @property
    def owner(self) -> str:
        """Process and host, for an error message."""
        return f"process {self.pid} on {printable(self.host)}"
