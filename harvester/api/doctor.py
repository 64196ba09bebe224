"""Check what could prevent a harvest on this machine."""

from __future__ import annotations

from harvester.runs.checks.finding import Finding
from harvester.runs.doctor import examine

__all__ = ["Finding", "examine"]
