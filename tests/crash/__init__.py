"""Harvests that are killed: whatever the moment, what is on disk in the end is the truth."""
