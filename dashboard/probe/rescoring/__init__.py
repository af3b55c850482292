"""Stored transcripts, judged again by another model or rubric."""
