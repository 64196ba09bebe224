"""Unit tests of `harvester/api`."""
