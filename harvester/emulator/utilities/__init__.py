"""The utilities, one module each: a request in, an answer out."""
