"""Unit tests of `harvester/store`."""
