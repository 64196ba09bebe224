"""Readers of responses, compared with independent readers on recorded responses."""
