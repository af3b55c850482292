"""Threads of comments: what they are on, as they are now, and how they change."""
