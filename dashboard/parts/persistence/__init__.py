"""Parts of the Persistence page."""
