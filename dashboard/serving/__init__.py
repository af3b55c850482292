"""Serving the checkpoints of a study on this computer, or saying how a cluster would: `driftline serve`."""
