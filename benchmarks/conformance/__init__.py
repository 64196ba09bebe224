"""Compare how this program and other clients handle NCBI's faults, over a socket.

Each client sends requests to the emulator, in its own process, with the call that its documentation
shows for several UIDs, and its defaults. Its result is compared with the emulator's graph.
`python -m benchmarks.conformance` writes the tables of docs/conformance.md.
"""
