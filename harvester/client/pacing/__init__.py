"""The rate limit: permits, the sliding window, the window that processes share."""
