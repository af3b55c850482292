"""A store that any number of processes share: DuckLake, with PostgreSQL as its catalogue, and Parquet files.

What files say lies in Parquet, and is only ever added to. What changes by the row lies in tables of that PostgreSQL:
which sources are in which batches, and all that people write.
"""

from loaders.store.lake.address import Address
from loaders.store.lake.lake import Lake

__all__ = ["Address", "Lake"]
