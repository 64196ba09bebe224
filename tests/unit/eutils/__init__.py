"""Unit tests of `harvester/eutils`."""
