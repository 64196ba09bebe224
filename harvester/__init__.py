"""Harvest links between NCBI records by the million."""

__version__ = "0.1.0"
