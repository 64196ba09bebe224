"""Helpers of the tests: servers, harnesses, recorded answers, tables."""
