"""Tables of answers and scores (CSV, JSONL, lists in JSON, Parquet), read as an entry of a study file's `tables:` says.

`sniff` says whether a file is a table, and `load` reads one with its mapping.
"""

from loaders.tabular.load import FORMAT, load
from loaders.tabular.rows import sniff

__all__ = ["FORMAT", "load", "sniff"]
