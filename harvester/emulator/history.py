"""The History server: sets of UIDs by WebEnv and query_key, until they expire."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from harvester.emulator.graph.mixing import key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


@dataclass(slots=True)
class _Environment:
    made: float
    sets: list[tuple[str, Sequence[int]]] = field(default_factory=list)


class History:
    """Sets stored by ESearch, EPost and ELink.

    Args:
        life: seconds that a WebEnv lives; about eight hours at NCBI (users' reports).
        clock: monotonic seconds.
    """

    def __init__(self, life: float = 8 * 3600.0, clock: Callable[[], float] | None = None) -> None:
        self._life = life
        self._clock = clock or time.monotonic
        self._environments: dict[str, _Environment] = {}
        self._numbers = itertools.count(1)

    def post(self, db: str, uids: Sequence[int], webenv: str = "") -> tuple[str, str]:
        """Store a set, in `webenv` if that has not expired.

        Returns:
            WebEnv and query_key. Equal sets of one WebEnv share a query_key (recorded in 2008).
        """
        environment = self._find(webenv)
        if environment is None:
            # MCID_ and 24 hex digits, the first eight the time of creation (since 2023).
            number = key_of("webenv", next(self._numbers))
            webenv = f"MCID_{int(time.time()):08x}{number:016x}"
            environment = self._environments[webenv] = _Environment(self._clock())
        kept = (db, uids)
        if kept not in environment.sets:
            environment.sets.append(kept)
        return webenv, str(environment.sets.index(kept) + 1)

    def fetch(self, webenv: str, query_key: str) -> tuple[str, Sequence[int]] | None:
        """Return the database and the UIDs of a set; None if it is unknown or expired."""
        environment = self._find(webenv)
        if environment is None or not query_key.isdigit():
            return None
        place = int(query_key) - 1
        return environment.sets[place] if 0 <= place < len(environment.sets) else None

    def expire(self, webenv: str) -> None:
        """Delete a WebEnv and its sets."""
        self._environments.pop(webenv, None)

    def _find(self, webenv: str) -> _Environment | None:
        environment = self._environments.get(webenv)
        if environment is not None and self._clock() - environment.made > self._life:
            self.expire(webenv)
            return None
        return environment
