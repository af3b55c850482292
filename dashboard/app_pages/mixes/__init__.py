"""The Data mixes page."""
