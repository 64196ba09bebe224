"""Tests of the pure parts, each alone."""
