"""Parts of the Data mixes page."""
