"""Benchmarks. Each module measures one cost and asserts that the work was done.

Absolute figures differ between machines: compare the ratios to the floor of the same run.
"""
