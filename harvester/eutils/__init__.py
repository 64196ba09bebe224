"""NCBI's protocol, one module per utility: requests to bytes, bytes of answers to tables."""
