"""Unit tests of `harvester/engine`."""
