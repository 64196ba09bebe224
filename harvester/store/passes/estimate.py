"""How far two readings of the same lists agree, and from that, how many links are still missing.

Two readings that lose links independently of each other are two captures of one population:
links found by one alone tell how many were found by neither.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CERTAINTY = 0.95
"""Share of the cases in which the true number should lie in the interval."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two readings of the lists of one linkname.

    Attributes:
        both: links in both readings.
        first_only: links in the first alone.
        again_only: links in the second alone.
        squares: for each list, the square of how many links one reading alone has, summed up.
    """

    both: int = 0
    first_only: int = 0
    again_only: int = 0
    squares: int = 0

    def __add__(self, other: Agreement) -> Agreement:
        """Of other UIDs, too."""
        return Agreement(
            self.both + other.both,
            self.first_only + other.first_only,
            self.again_only + other.again_only,
            self.squares + other.squares,
        )


@dataclass(frozen=True, slots=True)
class Missing:
    """Links that neither reading has: the estimate, and the interval at `CERTAINTY`."""

    links: float
    low: int
    high: int


def missing(agreement: Agreement) -> Missing:
    """How many links neither reading has, by Chapman's estimator.

    With a links in the first reading alone, b in the second alone and m in both, Chapman's
    (n1 + 1)(n2 + 1)/(m + 1) - 1 less those seen is ab/(m + 1) (Chapman 1951; Seber, The
    Estimation of Animal Abundance, 1982, section 3.1).

    Links are lost by blocks rather than singly, so the number of blocks is what varies. It is
    negative binomial: a Poisson number of blocks (Chao 1987 for what was never seen) whose mean
    is as uncertain as the numbers of blocks it was made of. One block more on either side is
    supposed for the upper end, so that two readings in full agreement still leave a doubt where
    there is little to agree on.
    """
    from scipy.stats import nbinom  # noqa: PLC0415 - takes half a second

    a, b, m = agreement.first_only, agreement.again_only, agreement.both
    block = agreement.squares / (a + b) if a + b else 1.0
    shape = 1 / (1 / (a / block + 1) + 1 / (b / block + 1))

    def quantile(share: float, mean: float) -> float:
        blocks = mean / block
        return float(nbinom.ppf(share, shape, shape / (shape + blocks))) * block

    tail = (1 - CERTAINTY) / 2
    estimate = a * b / (m + 1)
    low = quantile(tail, estimate) if estimate else 0.0
    high = quantile(1 - tail, (a + block) * (b + block) / (m + 1))
    return Missing(estimate, math.floor(low), math.ceil(max(high, estimate)))


def to_json(found: Mapping[str, Agreement]) -> dict[str, Any]:
    """For the state: linkname → counts and the estimate made of them."""
    return {
        name: {"counts": asdict(one), "missing": asdict(missing(one))}
        for name, one in sorted(found.items())
    }


def from_json(said: Mapping[str, Any]) -> dict[str, Agreement]:
    """The counts that `to_json` wrote."""
    return {name: Agreement(**one["counts"]) for name, one in said.items()}
