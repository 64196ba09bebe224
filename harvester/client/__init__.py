"""The client: one request over the network, at the permitted rate."""
