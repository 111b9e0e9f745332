"""Real clients of npm against a real server of ours; not a part of the suite, since it needs node and a network."""
