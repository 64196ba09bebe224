"""Harvests killed at any point: after a restart the folder equals the truth."""
