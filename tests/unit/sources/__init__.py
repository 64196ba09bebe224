"""Unit tests of `harvester/sources`."""
