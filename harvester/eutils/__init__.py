"""NCBI's protocol, one module a utility: questions as bytes out, answers as tables in."""
