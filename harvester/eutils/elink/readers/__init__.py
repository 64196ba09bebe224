"""Bytes of an answer to columns, one module a shape of answer and retmode."""
