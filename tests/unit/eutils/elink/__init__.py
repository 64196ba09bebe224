"""Unit tests of `harvester/eutils/elink`."""
