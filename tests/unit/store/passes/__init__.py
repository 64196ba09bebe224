"""Unit tests of `harvester/store/passes`."""
