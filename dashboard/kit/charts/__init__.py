"""Charts on a page: their frame, their files, and what is behind a point."""
