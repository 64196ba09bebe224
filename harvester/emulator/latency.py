"""How long the server thinks before it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random


def latency(seconds: Sequence[float], per_uid: float, uids: int, random: Random) -> float:
    """Seconds to wait: one of `seconds` at random (one value is a fixed latency), plus the UIDs'.

    A probe of NCBI's ELink in 2026 saw 0.8, 6.8 and 13 s for one and the same request.
    """
    drawn = random.choice(seconds) if seconds else 0.0
    return drawn + per_uid * uids
