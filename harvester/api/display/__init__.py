"""Progress on a terminal, as lines or as JSON."""
