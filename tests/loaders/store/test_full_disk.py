"""Where the disk is full an import ends with a clear error, rejects no file for it, and goes on when there is room."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

import pytest

from loaders.ingest import ingest
from loaders.store import Store
from tests.log_files import write_log

# No file may grow beyond a limit, as if the disk were full: the error comes from the system, where DuckDB writes.
LIMITED = """
import resource, sys
from pathlib import Path
from loaders.ingest import ingest
from loaders.store import Store
store = Store.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
ingest([Path(sys.argv[2])], store)
"""


@pytest.mark.slow
def test_an_import_into_a_full_disk(tmp_path: Path) -> None:
    folder, path = tmp_path / "logs", tmp_path / "store.duckdb"
    rng = random.Random(3)
    for step in (1, 2, 3):
        write_log(folder / f"r/checkpoint-{step}/log.eval", [1] * 4, reply=rng.randbytes(400_000).hex())
    Store.open(path).close()
    command = [sys.executable, "-c", LIMITED, str(path), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode != 0
    assert "DriftlineError: The store can't be written" in done.stderr
    store = Store.open(path)
    report = ingest([folder], store)
    assert report.rejected == 0
    with store.cursor() as cursor:
        found = cursor.execute(
            "SELECT step, n_samples FROM live_evals($n) ORDER BY ALL", {"n": store.batch()}
        ).fetchall()
    assert found == [(1, 4), (2, 4), (3, 4)]
    store.close()
