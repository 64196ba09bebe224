"""What the user asks for: the job, its file and its errors."""
