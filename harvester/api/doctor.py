"""Check what could keep a harvest from working here."""

from __future__ import annotations

from harvester.runs.checks.finding import Finding
from harvester.runs.doctor import examine

__all__ = ["Finding", "examine"]
