"""Deterministic 64-bit mixing: the same numbers in every process and on every Python."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

GOLDEN = 0x9E3779B97F4A7C15
"""Increment of splitmix64."""

_MASK = (1 << 64) - 1
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def mix(value: int) -> int:
    """Return the splitmix64 finaliser (Steele, Lea, Flood 2014) of an integer below 2**64."""
    value = ((value ^ (value >> 30)) * _FIRST) & _MASK
    value = ((value ^ (value >> 27)) * _SECOND) & _MASK
    return value ^ (value >> 31)


def mix_array(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return `mix` of every element, as a new array of the same shape."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(_FIRST)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(_SECOND)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def key_of(*parts: int | str) -> int:
    """Return one 64-bit key for a tuple of integers and strings."""
    key = 0
    for part in parts:
        number = part if isinstance(part, int) else _number(part)
        key = mix((key + GOLDEN + number) & _MASK)
    return key


def _number(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
