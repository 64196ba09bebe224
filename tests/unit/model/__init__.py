"""Unit tests of `harvester/model`."""
