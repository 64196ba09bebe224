"""Merge passes: links of a later pass are added to those before."""
