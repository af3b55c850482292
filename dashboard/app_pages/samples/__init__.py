"""The Samples page."""
