"""A mark for what is known to be wrong; mended, the test fails until its mark is taken off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest import MarkDecorator  # noqa: PT013 - for the annotation alone


def known(reason: str, *raises: type[BaseException]) -> MarkDecorator:
    """The test fails, and in no other way than by its own assertions or by `raises`."""
    expected = raises or (AssertionError, pytest.fail.Exception)
    return pytest.mark.xfail(strict=True, reason=reason, raises=expected)
