"""Unit tests of `harvester/cli`."""
