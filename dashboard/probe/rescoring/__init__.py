"""Stored transcripts, re-scored by another model or rubric."""
