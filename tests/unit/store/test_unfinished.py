"""What is said of a harvest that another step builds on, though it is not whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.finished_harvests import make_harvest, pubmed_harvest, true_links

from harvester.errors import BadInput
from harvester.store.reader import HarvestReader
from harvester.store.unfinished import check_complete

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("failed", "said"),
    [
        ([], []),
        ([30_000_003], ["1 UID of", "failed or is missing, so its links are unknown"]),
        ([30_000_003, 30_000_004], ["2 UIDs of", "or are missing, so their links are unknown"]),
    ],
)
def test_unanswered_uids_are_counted(tmp_path: Path, failed: list[int], said: list[str]) -> None:
    warnings: list[str] = []
    check_complete(
        HarvestReader.open(pubmed_harvest(tmp_path / "out", failed=failed)), warnings.append
    )
    assert len(warnings) == bool(said)
    assert all(words in warnings[0] for words in said)


def test_large_numbers_can_be_read(tmp_path: Path) -> None:
    links = true_links().slice(0, 0)
    out = make_harvest(tmp_path / "out", links, range(1, 1235), ended=False)
    with pytest.raises(BadInput, match="the links of 1,234 UIDs of an unknown number"):
        check_complete(HarvestReader.open(out), lambda _: None)
