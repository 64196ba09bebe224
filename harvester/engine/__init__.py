"""When to ask what, and what follows from each answer."""
