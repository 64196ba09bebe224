"""Sources of UIDs, one module per kind. `from_job.open_source` opens the source of a job."""
