"""What a cursor may not see of what came in with batches: found out once for each state of the store.

The rules (`hidden.sql`) take longer than most queries. What they find is the same for all whose patterns are the same,
for as long as nothing comes in, so it is kept in the store's memory and given to each cursor as variables, which the
views read. It can't be older than what the cursor reads: the cursor is one transaction, which sees the store as it was
when it began, and the state that what is hidden is kept under is read within it.

What people ask and write comes in at any time. Its rules are part of the views, and asked by each query.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb
import numpy as np
from numpy.typing import NDArray

from loaders.store.memory import Memory

AFTER = "STRUCT(run VARCHAR, batch_from BIGINT, batch_to BIGINT)[]"

NEWEST = {
    "evals": "SELECT max(eval_id) FROM (SELECT eval_id FROM main.evals UNION ALL SELECT eval_id FROM main.placements)",
    "samples": "SELECT max(sample_id) FROM main.samples",
    "sources": "SELECT max(source_id) FROM main.sources",
}
"""The highest ids that there are. What is beyond them counts as hidden."""


@dataclass
class Hidden:
    """What is hidden from readers with the same patterns in one state of a store, found out when it is first asked for.

    Attributes:
        bits: Of evals, samples and sources a bit each, by id: whether it is hidden.
        names: What hidden runs are called.
        naming: A regular expression of the names.
        after: Runs that were trained from hidden ones, and as of which batches.
        digest: Of all that is hidden.
    """

    bits: dict[str, bytes] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    naming: str = ""
    after: list[tuple[str, int, int | None]] = field(default_factory=list)
    digest: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __len__(self) -> int:
        """In rows of some 2 kB."""
        return 1 + (sum(map(len, self.bits.values())) + 100 * len(self.names) + 200 * len(self.after)) // 2_000

    def tell(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Let a cursor know, whose transaction sees the state that this is of."""
        with self._lock:
            if not self.digest:
                self._find_out(cursor)
        for name, bits in self.bits.items():
            _set_bits(cursor, name, bits)
        self._set_names(cursor)
        after = [dict(zip(("run", "batch_from", "batch_to"), row, strict=True)) for row in self.after]
        cursor.execute(f"SET VARIABLE hidden_after = $after::{AFTER}", {"after": after})

    def _find_out(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Each rule reads what those before it found."""
        evals = _ids(cursor, "evals")
        self._keep_bits(cursor, "evals", evals)
        self._keep_bits(cursor, "samples", _ids(cursor, "samples"))
        self.names = [name for (name,) in cursor.execute("SELECT name FROM found_names() ORDER BY name").fetchall()]
        row = cursor.execute("SELECT naming FROM found_naming()").fetchone()
        self.naming = row[0] if row else ""
        self.after = cursor.execute("SELECT run, batch_from, batch_to FROM found_after()").fetchall()
        self._set_names(cursor)
        sources = _ids(cursor, "sources")
        self._keep_bits(cursor, "sources", sources)
        # Of samples those of these evals are.
        told = repr((np.sort(evals).tolist(), np.sort(sources).tolist(), self.names, sorted(map(repr, self.after))))
        self.digest = hashlib.sha256(told.encode()).hexdigest()

    def _keep_bits(self, cursor: duckdb.DuckDBPyConnection, name: str, ids: NDArray[np.int64]) -> None:
        row = cursor.execute(NEWEST[name]).fetchone()
        bits = np.zeros(1 + max((row and row[0]) or 0, ids.max(initial=0)), dtype=np.bool_)
        bits[ids] = True
        # DuckDB counts bits by eights: those that make up the last eight are of no id yet.
        bits = np.concatenate([bits, np.ones(-len(bits) % 8, dtype=np.bool_)])
        self.bits[name] = np.packbits(bits).tobytes()
        _set_bits(cursor, name, self.bits[name])

    def _set_names(self, cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.execute("SET VARIABLE hidden_names = $names::VARCHAR[]", {"names": self.names})
        cursor.execute("SET VARIABLE hidden_naming = $naming", {"naming": self.naming})
        cursor.execute("SET VARIABLE hidden_digest = $digest", {"digest": self.digest})


def restrict(cursor: duckdb.DuckDBPyConnection, patterns: Sequence[str], memory: Memory) -> None:
    """Let a cursor find nothing of some runs, as the store is now. It reads in one transaction from now on.

    Args:
        cursor: Whose names mean what the rules say (`loaders.store.views.look_there_first`).
        patterns: Of names of runs.
        memory: The store's.
    """
    cursor.execute("SET VARIABLE hidden_runs = $patterns::VARCHAR[]", {"patterns": list(patterns)})
    cursor.execute("BEGIN TRANSACTION READ ONLY")
    state = cursor.execute("FROM found_state()").fetchall()
    memory.keep(("hidden", tuple(patterns), str(state)), Hidden).tell(cursor)


def _ids(cursor: duckdb.DuckDBPyConnection, name: str) -> NDArray[np.int64]:
    found = cursor.execute(f"FROM found_{name}()").fetchnumpy()
    (ids,) = found.values()
    return np.ma.compressed(ids).astype(np.int64)


def _set_bits(cursor: duckdb.DuckDBPyConnection, name: str, bits: bytes) -> None:
    cursor.execute(f"SET VARIABLE hidden_{name} = $bits::BLOB::BIT", {"bits": bits})
