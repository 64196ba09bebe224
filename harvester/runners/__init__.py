"""Other processes that run the leases of a harvest, one module per kind of cluster."""
