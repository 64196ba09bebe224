"""Tests of `harvester.testing`."""
