"""Unit tests: pure parts, each alone."""
