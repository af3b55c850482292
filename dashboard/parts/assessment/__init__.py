"""Parts of the Assessment page."""
