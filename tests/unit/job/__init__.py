"""Unit tests of `harvester/job`."""
