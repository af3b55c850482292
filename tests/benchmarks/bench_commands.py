"""What each command costs in CPU time, as a multiple of `python -c "import duckdb"`, in one run on one machine."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from tests.driftline import COMMAND, ROOT, driftline, environment
from tests.log_files import write_log

ROUNDS = 5
STEPS, QUESTIONS = 4, 40
"""A store of 160 samples."""
MOST = 8.0
"""Times the import of DuckDB, which takes 0.1 s: 3.8 to 6.5 were measured, most where modules are compiled anew each
time. With scipy it was 6 to 9, with pandas 19."""


def cpu_seconds(command: list[str], data: Path) -> float:
    """User and system time of a process, the least of some runs: the others only add what else the machine did.

    Modules are compiled in the first, as they are where a user runs it, whatever the environment of the tests says.
    """
    env = environment(data) | {"PYTHONPYCACHEPREFIX": str(data / "compiled")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    found = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def test_commands_cost_little_more_than_the_store(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    for step in range(1, STEPS + 1):
        values = [int(question % (step + 1) == 0) for question in range(QUESTIONS)]
        write_log(folder / f"tiny/checkpoint-{100 * step}/log.eval", values)
    assert driftline("ingest", folder, data=tmp_path).returncode == 0
    commands = {
        "--help": ["--help"],
        "rates": ["rates", "--path", str(folder)],
        "compare": ["compare", "tiny@100", "tiny@400", "--path", str(folder)],
        "export rates.csv": ["export", str(tmp_path / "rates.csv"), "--what", "rates", "--path", str(folder)],
        "ingest, all unchanged": ["ingest", str(folder)],
    }
    bare = cpu_seconds([sys.executable, "-c", "import duckdb"], tmp_path)
    cost = {name: cpu_seconds([*COMMAND, *words], tmp_path) for name, words in commands.items()}
    print(f"\nimporting duckdb: {bare:.2f} s of CPU")
    for name, seconds in cost.items():
        print(f"driftline {name}: {seconds:.2f} s, {seconds / bare:.1f} times as much")
    assert cost["rates"] / bare <= MOST
    assert cost["--help"] < bare
