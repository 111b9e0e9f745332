"""Running a deployment: one process, several side by side, or only the jobs."""
