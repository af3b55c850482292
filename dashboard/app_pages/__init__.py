"""A folder a page: its script is `page.py`, and what only it is made of lies beside it."""
