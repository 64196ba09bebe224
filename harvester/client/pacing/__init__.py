"""The rate limit: permits, the sliding window, and windows that processes share."""
