"""What every sink and every source must do."""
