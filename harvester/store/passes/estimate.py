"""Agreement of two readings of the same lists, and an estimate of the links still missing.

Two readings that lose links independently are two captures of one population (capture-recapture):
from the links that only one of them found follows how many neither found.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

CERTAINTY = 0.95
"""Confidence level of the interval."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two readings of the lists of one linkname.

    Attributes:
        both: links in both readings.
        first_only: links in the first reading only.
        again_only: links in the second reading only.
        squares: sum over lists and readings of the square of the number of links that only that
            reading has.
    """

    both: int = 0
    first_only: int = 0
    again_only: int = 0
    squares: int = 0

    def __add__(self, other: Agreement) -> Agreement:
        """Return the agreement over the UIDs of both."""
        return Agreement(
            self.both + other.both,
            self.first_only + other.first_only,
            self.again_only + other.again_only,
            self.squares + other.squares,
        )


@dataclass(frozen=True, slots=True)
class Missing:
    """Links that neither reading has: the estimate and its interval at level `CERTAINTY`."""

    links: float
    low: int
    high: int


def missing(agreement: Agreement) -> Missing:
    """Estimate how many links neither reading has, by Chapman's estimator.

    With a links in the first reading only, b in the second only and m in both, Chapman's
    (n1 + 1)(n2 + 1)/(m + 1) - 1 minus the links seen is ab/(m + 1) (Chapman 1951; Seber, The
    Estimation of Animal Abundance, 1982, section 3.1).

    Links are lost in blocks, so the number of lost blocks varies. It is modelled as negative
    binomial: a Poisson number of blocks (Chao 1987 for links never seen) whose mean is as
    uncertain as the counts of blocks it is derived from. The upper end assumes one more block in
    each reading, so that full agreement of two short readings does not mean certainty.
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
    """Return the value that the state keeps: linkname → counts and the estimate from them."""
    return {
        name: {"counts": asdict(one), "missing": asdict(missing(one))}
        for name, one in sorted(found.items())
    }


def from_json(said: Mapping[str, Any]) -> dict[str, Agreement]:
    """Return the counts that `to_json` wrote."""
    return {name: Agreement(**one["counts"]) for name, one in said.items()}
