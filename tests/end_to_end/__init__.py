"""The installed command against an emulator over real sockets, compared with the truth."""
