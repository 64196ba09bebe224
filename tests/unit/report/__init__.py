"""Unit tests of `harvester/report`."""
