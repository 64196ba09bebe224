"""What the work costs: `python -m benchmarks [NAME]...` prints the figures of each, or of all.

`peers` must be named: it takes minutes, and clients of another environment.
"""

from __future__ import annotations

import sys
from importlib import import_module

ALL = ("decode", "sinks", "floors", "end_to_end")


def main() -> None:
    for name in sys.argv[1:] or ALL:
        module = import_module(f"benchmarks.{name}")
        print(f"\n{name}: {(module.__doc__ or name).splitlines()[0]}", flush=True)
        for row in module.rows():
            print(row, flush=True)


if __name__ == "__main__":
    main()
