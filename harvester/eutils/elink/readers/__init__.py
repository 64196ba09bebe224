"""Bytes of an answer to columns, one module per shape of answer and retmode."""
