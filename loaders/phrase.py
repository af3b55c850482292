"""How a text is looked for, in SQL, in an index and on a page: what counts as white space."""

from __future__ import annotations

SPACE = r"[ \t\n\f\r]+"
"""A regular expression: what tantivy's tokenizer splits at, and no more."""
