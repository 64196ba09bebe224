"""One operation on a folder or stream per module."""
