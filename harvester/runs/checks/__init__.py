"""The checks of `harvester doctor`: one module per group."""
