"""`python -m harvester` is the same program as `harvester`."""

from harvester.cli import main

if __name__ == "__main__":
    main()
