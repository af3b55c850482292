"""The Re-scoring page."""
