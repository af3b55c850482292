"""Parts of pages: pickers, caches, pictures and words that pages put together."""
