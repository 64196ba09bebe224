"""Where the real lists of UIDs and links lie, beside the repository; they are no part of it."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parents[3] / "shared" / "ncbi" / "data"
