"""What several pages are put together from; it knows none of them."""
