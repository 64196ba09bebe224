"""After all others of this folder: how many deaths all of that was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Deaths


@pytest.mark.torture
def test_a_thousand_deaths_were_died(pytestconfig: pytest.Config, deaths: Deaths) -> None:
    """Only those are counted that really came about, and whose harvest was exact in the end."""
    chosen = pytestconfig.getoption("keyword") or any(".py" in arg for arg in pytestconfig.args)
    if chosen:
        pytest.skip("only some of the tests were run")
    assert deaths.total() >= 1000
