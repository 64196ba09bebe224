"""The utilities: functions from a request to its answer."""
