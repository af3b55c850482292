"""The store: one DuckDB file, owned by one process at a time."""

from loaders.store.backup import Held, restore
from loaders.store.compact import Compacted
from loaders.store.store import Store

__all__ = ["Compacted", "Held", "Store", "restore"]
