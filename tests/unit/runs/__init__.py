"""Unit tests of `harvester/runs`."""
