"""The Assessment page."""
