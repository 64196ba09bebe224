"""The clients' own test suites, run against the emulator."""
