"""The engine: decides when to send which request, and acts on each answer."""
