"""The Notes page."""
