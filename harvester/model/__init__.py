"""Values passed between folders: UID sets, batches, answers, rows."""
