"""The dashboard's tests, in folders as its own."""
