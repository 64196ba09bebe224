"""The last test of this folder: checks how many runs the other tests killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import KillCount


@pytest.mark.torture
def test_at_least_a_thousand_runs_were_killed(
    pytestconfig: pytest.Config, kill_count: KillCount
) -> None:
    """Only runs that were killed and later completed exactly are counted."""
    chosen = pytestconfig.getoption("keyword") or any(".py" in arg for arg in pytestconfig.args)
    if chosen:
        pytest.skip("only some of the tests were run")
    assert kill_count.total() >= 1000
