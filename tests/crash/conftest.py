"""Emulators in this process, for commands that are killed in others; and scenes of such."""

from end_to_end.conftest import all_servers, see, servers

__all__ = ["all_servers", "see", "servers"]
