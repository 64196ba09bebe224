"""The values that flow: UID sets, batches, answers, rows."""
