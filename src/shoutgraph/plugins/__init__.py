"""Plugins: found by entry point, checked before they are imported, and called behind a fence."""
