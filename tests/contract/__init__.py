"""Contract tests: what every sink and every source must do."""
