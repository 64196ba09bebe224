"""The job: the user's settings, how they are loaded, and how their errors are explained."""
