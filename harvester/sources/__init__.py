"""Where UIDs come from, one module a kind of source. Each yields int64 arrays as it reads."""
