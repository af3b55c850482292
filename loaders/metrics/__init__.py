"""Metrics: what they are made of, which apply to an eval, and every sample's outcome under them."""
