"""How the server spends time on requests: capacity, queue, service times."""
