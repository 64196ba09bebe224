"""Everything on disk: parts, state, folder, commits."""
