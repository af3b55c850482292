"""What was said, as HTML in which nothing is alive."""
