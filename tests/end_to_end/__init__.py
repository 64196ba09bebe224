"""End-to-end tests: the installed command against an emulator over real sockets."""
