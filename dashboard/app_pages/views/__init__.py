"""The Views page."""
