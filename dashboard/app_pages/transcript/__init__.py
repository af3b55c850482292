"""The Transcript page."""
