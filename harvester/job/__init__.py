"""The job: what the user asks for, how it is loaded, and how its errors are explained."""
