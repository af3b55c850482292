"""The Gallery page: the figures of a study, each with its published numbers."""
