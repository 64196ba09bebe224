"""`python -m harvester.emulator`: the command `harvester emulate` by itself."""

from harvester.emulator.command import emulate

emulate()
