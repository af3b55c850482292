"""Tables of answers and scores (CSV, JSONL, lists in JSON, Parquet), read as an entry of a study file's `tables:` says.

`load` reads one with its mapping.
"""

from loaders.tabular.load import FORMAT, load

__all__ = ["FORMAT", "load"]
