"""Helpers of the tests: servers, processes, recorded responses, tables."""
