"""What the server says: LinkSets, their JSON and XML, and errors, in the bytes of NCBI."""
