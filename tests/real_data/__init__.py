"""From real logs to the numbers that are drawn."""
