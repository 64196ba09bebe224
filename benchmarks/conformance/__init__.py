"""What this program and other clients make of NCBI's misbehaviour, measured over a socket.

Each client asks our emulator, in a process of its own, by the call that its documentation shows
for several UIDs, with its own defaults. What it hands on is held against the emulator's graph.
`python -m benchmarks.conformance` writes the tables of docs/conformance.md.
"""
