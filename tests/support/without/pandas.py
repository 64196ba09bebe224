"""Hides pandas from commands that run as if installed alone.

pyarrow imports pandas where it finds it, for a quarter of the CPU time of a short command.
"""

raise ImportError("the command is tested as it is installed, without pandas")
