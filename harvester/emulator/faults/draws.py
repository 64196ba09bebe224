"""Draw the faults of a request from the seed, the request and its number of repetitions.

So a run is repeatable, whatever the order in which its requests arrive. Only a fault with a number
of times (`*N`) depends on the order.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from harvester.emulator.graph.mixing import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harvester.emulator.request import UtilityRequest


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """Configured fault: `NAME`, then any of `@UID,UID`, `*N` and `:P`, in this order.

    Attributes:
        name: name in a table of faults.
        probability: probability per request, 0 to 1.
        uids: ids it is restricted to; empty is no restriction.
        times: number of requests after which it ends; None never ends.
    """

    name: str
    probability: float = 1.0
    uids: frozenset[str] = frozenset()
    times: int | None = None

    @classmethod
    def read(cls, text: str) -> FaultSpec:
        """Parse a spelling of the command line.

        Raises:
            ValueError: the probability or the number of times is wrong.
        """
        head, colon, share = text.partition(":")
        head, star, times = head.partition("*")
        name, _, uids = head.partition("@")
        if star and not (times.isascii() and times.isdigit() and int(times) > 0):
            raise ValueError(f"Fault {text!r}: * needs a number of times from 1, such as 503*2.")
        try:
            probability = float(share) if colon else 1.0
        except ValueError:
            probability = -1.0
        if not 0.0 <= probability <= 1.0:
            raise ValueError(
                f"Fault {text!r}: the probability must be from 0 to 1, such as 503:0.1."
            )
        limit = int(times) if star else None
        return cls(name, probability, frozenset(uid for uid in uids.split(",") if uid), limit)


@dataclass(frozen=True, slots=True)
class Draw:
    """One fault of one request, with its own random numbers.

    Attributes:
        limit: requests per second that the server permits this caller.
    """

    spec: FaultSpec
    request: UtilityRequest
    random: Random
    seed: int
    limit: int


class FaultPlan:
    """Draws of faults, request by request.

    Args:
        specs: configured faults, names already resolved.
        every: names that `all` draws from.
        constant: names of faults that apply to every request and draw for each part of it.
        seed: seed of the draws.
        limits: requests per second without an API key and with one.
    """

    def __init__(
        self,
        specs: Iterable[FaultSpec],
        every: Sequence[str],
        constant: Iterable[str],
        seed: int,
        limits: tuple[int, int],
    ) -> None:
        self._specs = list(specs)
        self._every = every
        self._constant = frozenset(constant)
        self._seed = seed
        self._limits = limits
        self._seen: Counter[int] = Counter()
        self._applied: Counter[FaultSpec] = Counter()

    def draw(self, request: UtilityRequest) -> list[Draw]:
        """Return the faults of this request: at most one by chance, and the constant ones."""
        if not self._specs:
            return []
        self._seen[request.digest] += 1
        random = Random(key_of(self._seed, request.digest, self._seen[request.digest]))
        limit = self._limits[request.has_key]
        fired: list[tuple[FaultSpec, str]] = []
        constant: list[tuple[FaultSpec, str]] = []
        for spec in self._specs:
            if spec.uids and not spec.uids & request.uids():
                continue
            if spec.times is not None and self._applied[spec] >= spec.times:
                continue
            if spec.name in self._constant:
                constant.append((spec, spec.name))
            elif random.random() < spec.probability:
                name = random.choice(self._every) if spec.name == "all" else spec.name
                fired.append((spec, name))
        drawn = [random.choice(fired), *constant] if fired else constant
        self._applied.update(spec for spec, _ in drawn)
        return [
            Draw(replace(spec, name=name), request, random, self._seed, limit)
            for spec, name in drawn
        ]


def affects(seed: int, name: str, uid: str, probability: float) -> bool:
    """Return whether a fault applies to every request with a UID."""
    return key_of(seed, name, uid) < probability * 2**64
