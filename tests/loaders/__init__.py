"""The loaders' tests, in folders as their own."""
