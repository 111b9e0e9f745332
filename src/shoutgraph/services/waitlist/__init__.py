"""Waiting for a place: joining and leaving a creator's line, and how it moves on."""
