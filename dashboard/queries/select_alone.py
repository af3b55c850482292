"""Runs one SELECT over columns in files, in a process of its own: whatever it comes to, it can take no other with it.

Started by `dashboard.queries.one_select`, for each query anew, by its path: it imports nothing of ours. It reads a JSON
object from standard input, and writes the answer to standard output as an Arrow stream, or why there is none to
standard error.
"""

import json
import os
import sys
import threading
from pathlib import Path

# Arrow's own allocator takes address space by the gigabyte, which the limit counts.
os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"

import duckdb
import pyarrow as pa
import pyarrow.ipc

REFUSED = 3
"""The exit code where standard error says what is wrong with the query."""


def bound(most: int) -> None:
    """Keep this process from ever holding so many bytes more than it does, where the system can do that.

    DuckDB's own limit counts neither the texts and lists that functions make nor what one call of them takes.
    """
    try:
        import resource
    except ImportError:  # Windows: DuckDB's own limit is all there is
        return
    held = 0
    if (told := Path("/proc/self/statm")).is_file():
        held = int(told.read_text().split()[5]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_DATA, (held + most, held + most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer, or say why not."""
    asked = json.load(sys.stdin)
    con = duckdb.connect(":memory:", config={"memory_limit": f"{asked['memory'] * 2 // 3}B", "threads": 2})
    for name, path in asked["views"].items():
        con.register(name, pa.ipc.open_file(pa.memory_map(path)).read_all())
    con.execute("SET max_temp_directory_size = '2GB'")
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    bound(asked["memory"])
    timer = threading.Timer(asked["seconds"], con.interrupt)
    timer.daemon = True
    timer.start()
    size = 0
    answered = con.execute(asked["sql"]).to_arrow_reader(2048)
    with pa.ipc.new_stream(sys.stdout.buffer, answered.schema) as out:
        for batch in answered:
            size += batch.nbytes
            if size > asked["bytes"]:
                raise ValueError(f"The answer is larger than {asked['bytes'] // 10**6} MB: take fewer columns or rows.")
            out.write_batch(batch)
    sys.stdout.flush()


def told(error: BaseException) -> str:
    """What an error says, to whoever typed the query."""
    if isinstance(error, duckdb.InterruptException):
        return "timeout"
    if isinstance(error, MemoryError | duckdb.OutOfMemoryException):
        return "memory"
    return str(error).splitlines()[0].rstrip(".!") + "." if str(error) else f"{type(error).__name__}."


if __name__ == "__main__":
    try:
        main()
    except (duckdb.Error, MemoryError, ValueError, pa.ArrowException) as failed:
        sys.stderr.write(told(failed))
        sys.stderr.flush()
        os._exit(REFUSED)
    # Nothing is left to tidy up, and taking DuckDB down may wait for its threads.
    os._exit(0)
