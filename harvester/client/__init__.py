"""One request over the network, at the permitted rate."""
