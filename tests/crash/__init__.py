"""Harvests that are killed at any point: after a restart the folder holds exactly the truth."""
