"""Other processes that ask for the leases of a harvest, one module per kind of cluster."""
