"""Unit tests of `harvester/client`."""
