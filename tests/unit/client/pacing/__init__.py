"""Unit tests of `harvester/client/pacing`."""
