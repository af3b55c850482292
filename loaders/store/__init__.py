"""The store: one DuckDB file that a process owns, or a lake that any number of them share."""

from loaders.store.backup import Held, restore
from loaders.store.compact import Compacted
from loaders.store.store import Store, is_shared

__all__ = ["Compacted", "Held", "Store", "is_shared", "restore"]
