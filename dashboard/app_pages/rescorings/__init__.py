"""The Judgings page."""
