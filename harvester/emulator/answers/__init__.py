"""Answers in the bytes of NCBI: LinkSets, their JSON and XML, and errors."""
