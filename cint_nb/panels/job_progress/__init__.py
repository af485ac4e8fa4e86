"""The job progress panel and the progress reporters."""
