"""Which faults befall a request: drawn from a seed, the request and how often it has been seen.

So a run is the same again, whatever the order in which its requests arrive; a fault that heals
after so many requests goes by their order.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from harvester.emulator.graph.mixing import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harvester.emulator.request import Asked


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """A fault asked for: `NAME`, then any of `@UID,UID`, `*N` and `:P`, in this order.

    Attributes:
        name: as in the table of faults.
        probability: that it befalls a request, 0 to 1.
        uids: ids it is restricted to; empty restricts it to none.
        times: requests that it befalls, after which it has healed; None never heals.
    """

    name: str
    probability: float = 1.0
    uids: frozenset[str] = frozenset()
    times: int | None = None

    @classmethod
    def read(cls, text: str) -> FaultSpec:
        """The fault that a text on the command line asks for.

        Raises:
            ValueError: the probability or the number of times is none.
        """
        head, colon, share = text.partition(":")
        head, star, times = head.partition("*")
        name, _, uids = head.partition("@")
        if star and not (times.isascii() and times.isdigit() and int(times) > 0):
            raise ValueError(f"fault {text!r}: after * comes a number of times, from 1")
        try:
            probability = float(share) if colon else 1.0
        except ValueError:
            probability = -1.0
        if not 0.0 <= probability <= 1.0:
            raise ValueError(f"fault {text!r}: the probability must be a number from 0 to 1")
        limit = int(times) if star else None
        return cls(name, probability, frozenset(uid for uid in uids.split(",") if uid), limit)


@dataclass(frozen=True, slots=True)
class Draw:
    """One fault that befalls one request, with its own random numbers.

    Attributes:
        limit: requests a second that the server permits whoever asks.
    """

    spec: FaultSpec
    asked: Asked
    random: Random
    seed: int
    limit: int


class FaultPlan:
    """Draws the faults of each request.

    Args:
        specs: what was asked for, names already resolved.
        every: names that `all` stands for.
        constant: names of faults that befall every request and draw for each part of it.
        seed: another seed draws others.
        limits: requests a second without an API key and with one.
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
        self._befell: Counter[FaultSpec] = Counter()

    def draw(self, asked: Asked) -> list[Draw]:
        """The faults of this request: at most one by chance, and the constant ones."""
        if not self._specs:
            return []
        self._seen[asked.digest] += 1
        random = Random(key_of(self._seed, asked.digest, self._seen[asked.digest]))
        limit = self._limits[asked.has_key]
        fired: list[tuple[FaultSpec, str]] = []
        constant: list[tuple[FaultSpec, str]] = []
        for spec in self._specs:
            if spec.uids and not spec.uids & asked.uids():
                continue
            if spec.times is not None and self._befell[spec] >= spec.times:
                continue
            if spec.name in self._constant:
                constant.append((spec, spec.name))
            elif random.random() < spec.probability:
                name = random.choice(self._every) if spec.name == "all" else spec.name
                fired.append((spec, name))
        told = [random.choice(fired), *constant] if fired else constant
        self._befell.update(spec for spec, _ in told)
        return [
            Draw(replace(spec, name=name), asked, random, self._seed, limit) for spec, name in told
        ]


def befalls(seed: int, name: str, uid: str, probability: float) -> bool:
    """Whether a fault lies on a UID for good, so that every request with it meets the fault."""
    return key_of(seed, name, uid) < probability * 2**64
