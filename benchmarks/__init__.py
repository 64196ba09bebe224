"""What the work costs, each file isolating one cost and asserting that the work was done.

Absolute figures drift between machines: compare the ratios to the floor measured in the same run.
"""
