"""Audits as the tools that run them write them: Petri's transcripts, Bloom's runs, agentic-misalignment's responses."""
