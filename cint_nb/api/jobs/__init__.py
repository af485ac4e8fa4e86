"""Background jobs: handle, status, schedule and polling."""
