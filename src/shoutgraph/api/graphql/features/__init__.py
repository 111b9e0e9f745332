"""The room of the rollout: what is on, for whom, and who changed it."""
