"""Revisions, the oldest first. Each stands for ever: a change is a new one."""
