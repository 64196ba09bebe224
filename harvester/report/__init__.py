"""The report of a harvest as one HTML page: facts, charts, page, and the page while a job runs."""
