"""The estimate of links that two readings both missed, against simulations with known truth."""

from __future__ import annotations

import json

import numpy as np
import pytest

from harvester.store.passes.estimate import Agreement, from_json, missing, to_json


def test_the_estimate_is_chapmans() -> None:
    """A worked example: 200 marked, 150 caught, 50 of them marked."""
    found = missing(Agreement(both=50, first_only=150, again_only=100, squares=250))
    chapman = (200 + 1) * (150 + 1) / (50 + 1) - 1
    assert found.links == pytest.approx(chapman - (50 + 150 + 100))
    assert found.low < found.links < found.high


def _simulated(
    rng: np.random.Generator, lists: int, blocks: int, size: int, lost: tuple[float, float]
) -> tuple[Agreement, int]:
    """Lose blocks of lists in two readings; return their agreement and what both lost."""
    seen = rng.random((2, lists, blocks)) >= np.array(lost)[:, None, None]
    first, again = seen[0].sum(1) * size, seen[1].sum(1) * size
    both = (seen[0] & seen[1]).sum(1) * size
    alone = np.concatenate([first - both, again - both])
    agreement = Agreement(
        int(both.sum()),
        int((first - both).sum()),
        int((again - both).sum()),
        int((alone.astype(np.int64) ** 2).sum()),
    )
    return agreement, int((~seen[0] & ~seen[1]).sum()) * size


@pytest.mark.parametrize(
    ("lists", "blocks", "size", "lost"),
    [
        (3000, 3, 100, (0.01, 0.01)),
        (3000, 3, 100, (0.05, 0.05)),
        (20000, 2, 100, (0.02, 0.002)),
        (500, 1, 1, (0.2, 0.1)),
        (50, 4, 100, (0.05, 0.05)),
    ],
)
def test_the_interval_covers_the_truth_about_as_often_as_it_says(
    lists: int, blocks: int, size: int, lost: tuple[float, float]
) -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(200):
        agreement, truth = _simulated(rng, lists, blocks, size, lost)
        found = missing(agreement)
        covered += found.low <= truth <= found.high
    assert covered / 200 >= 0.92


def test_full_agreement_leaves_no_doubt_where_there_is_much_to_agree_on() -> None:
    found = missing(Agreement(both=1_000_000))
    assert (found.links, found.low, found.high) == (0.0, 0, 0)


def test_nothing_read_tells_nothing() -> None:
    found = missing(Agreement())
    assert (found.links, found.low) == (0.0, 0)
    assert found.high >= 1


def test_counts_survive_as_json_and_add_up() -> None:
    counts = {"pubmed_pmc": Agreement(5, 1, 2, 5), "pubmed_gene": Agreement(7, 0, 0, 0)}
    said = json.loads(json.dumps(to_json(counts)))
    assert from_json(said) == counts
    assert said["pubmed_pmc"]["missing"]["links"] == pytest.approx(1 * 2 / 6)
    assert counts["pubmed_pmc"] + Agreement(1, 1, 1, 2) == Agreement(6, 2, 3, 7)
