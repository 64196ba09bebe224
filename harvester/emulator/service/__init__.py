"""Service of requests: capacity, queue, service times."""
