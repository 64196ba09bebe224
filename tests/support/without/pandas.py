"""Stands for pandas where the command runs as it is installed alone.

pyarrow imports pandas where it finds it, for a quarter of the CPU time of a short command.
"""

raise ImportError("the command is tested as it is installed, without pandas")
