"""Files on disk -> records -> store. Knows nothing of the dashboard."""
