"""The Persistence page."""
